import type { ImagePage, PageFacts } from '../page/page.ts';
import type { Say } from './html-words.ts';
import { type Html, html } from './markup.ts';
import { safeUrl } from './safe-link.ts';

/** Longer descriptions are among the labels only. */
const maxDescription = 400;

/** What the image is called, in text. */
export function pageTitle({ facts }: ImagePage, say: Say): string {
  return facts.names[0] ?? `${say('image')} ${facts.id.slice(0, 19)}`;
}

/** The name, what its labels say it is for, and its figures. */
export function pageHeader(page: ImagePage, say: Say): Html {
  const { facts } = page;
  const description = label(facts, 'org.opencontainers.image.description') ?? '';
  const shown = description.length > maxDescription ? '' : description;
  return html`<header>
<h1>${brokenName(pageTitle(page, say))}</h1>
${
  shown === ''
    ? undefined
    : html`<p class="description">${shown}</p>
`
}${headerLinks(facts)}<div class="tiles">
${tile(facts.sizeText ?? say('notRead'), say('size'), say('sizeNote'))}
${tile(facts.transferSizeText, say('transfer'), say('transferNote'))}
${tile(facts.platform, say('platform'))}
${tile(String(facts.layers), say('layers'))}
${tile(facts.localTime ?? say('unknown'), say('created'), facts.localTime === undefined ? undefined : page.timeZone)}
</div>
</header>`;
}

/** A name may be broken behind its slashes and before its tag. */
function brokenName(name: string): readonly Html[] {
  return name.split(/(?<=\/)|(?=[:@])/).map((part, index) => html`${index === 0 ? undefined : html`<wbr>`}${part}`);
}

function tile(value: string, name: string, note?: string): Html {
  return html`<div><b>${value}</b><span>${name}${note === undefined ? undefined : html` <small>${note}</small>`}</span></div>`;
}

/** Where the image says that it comes from (image-spec annotations.md). */
function headerLinks(facts: PageFacts): Html | undefined {
  const urls = new Set<string>();
  for (const name of ['url', 'source', 'documentation']) {
    const url = safeUrl(label(facts, `org.opencontainers.image.${name}`) ?? '');
    if (url !== undefined) urls.add(url);
  }
  if (urls.size === 0) return undefined;
  const links = [...urls].map(
    (url) => html`<a href="${url}" rel="noopener noreferrer nofollow">${url.replace(/\/$/, '')}</a> `,
  );
  return html`<p class="links">${links}</p>
`;
}

function label({ labels }: PageFacts, wanted: string): string | undefined {
  return labels.find(({ name }) => name === wanted)?.value;
}
