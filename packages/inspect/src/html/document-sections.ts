import { safeJson } from '@boxwright/errors';
import type { Language } from '../labels/language.ts';
import type { ImagePage } from '../page/page.ts';
import { findingText, pageWords } from '../page/page-words.ts';
import { shownInfo } from '../page/shown-info.ts';
import { type SecretFinding, secretText } from '../secrets/secret-finding.ts';
import { dockerfileMarkup } from './dockerfile-markup.ts';
import type { Say } from './html-words.ts';
import { jsonMarkup } from './json-markup.ts';
import { type Html, html } from './markup.ts';
import type { PageDockerfile } from './page-extras.ts';
import { copyable, type Section } from './section.ts';

/** The Dockerfile, with what is not certain about it. */
export function dockerfileSection({ text, notes }: PageDockerfile, language: Language, say: Say): Section {
  const list = html`<ul class="notes">${notes.map((note) => html`<li>${note[language]}</li>`)}</ul>`;
  return {
    id: 'dockerfile',
    title: say('dockerfile'),
    shortTitle: 'Dockerfile',
    body: html`${notes.length > 0 ? list : undefined}<pre class="document scroll" tabindex="0">${copyable(dockerfileMarkup(text.trimEnd()))}</pre>`,
  };
}

/** docker-inspect JSON. */
export function infoSection(page: ImagePage, language: Language, say: Say): Section {
  const words = pageWords[language];
  const text = safeJson(shownInfo(page.info, page.hostSpecific, words.hostSpecific), 2);
  return {
    id: 'info',
    title: words.info,
    shortTitle: say('infoShort'),
    count: 'docker inspect',
    body: html`<details class="card"><summary>JSON</summary><pre class="document">${copyable(jsonMarkup(text))}</pre></details>`,
  };
}

/** What does not fit together in the image, as a note before everything else; undefined when all is well. */
export function findingsNote({ findings }: ImagePage, language: Language): Html | undefined {
  if (findings.length === 0) return undefined;
  return html`<aside class="alert"><h2>${pageWords[language].findings}</h2>
<ul>${findings.map((finding) => html`<li>${findingText(finding)[language]}</li>`)}</ul></aside>
`;
}

/** At most so many secrets are listed. */
const listedSecrets = 100;

/** What looks like a secret, as a note before everything else; undefined when nothing does. */
export function secretsNote({ secrets, secretsShown }: ImagePage, language: Language): Html | undefined {
  if (secrets.length === 0) return undefined;
  const words = pageWords[language];
  const rest = secrets.length - listedSecrets;
  return html`<aside class="alert"><h2>${words.secrets} <span class="count">${secrets.length}</span></h2>
${secretsShown ? undefined : html`<p>${words.secretsRedacted.replace(/^[ (（]+|[)）]+$/g, '')}</p>`}<ul>${secrets.slice(0, listedSecrets).map((finding) => html`<li>${secretItem(finding, language)}</li>`)}${rest > 0 ? html`<li>${`… +${rest}`}</li>` : undefined}</ul></aside>
`;
}

/** Leads to the row, if it is in one. */
function secretItem(finding: SecretFinding, language: Language): Html {
  const text = secretText(finding)[language];
  return finding.place === 'history' ? html`<a href="#row-${finding.entry}">${text}</a>` : html`${text}`;
}
