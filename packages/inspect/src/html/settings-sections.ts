import type { NameValue } from '../instructions/instruction.ts';
import type { HtmlWord, Say } from './html-words.ts';
import { type Html, html, multiline } from './markup.ts';
import { linked, safeUrl } from './safe-link.ts';
import type { Section } from './section.ts';

/** Environment variables or labels; undefined when there are none. Values that are web addresses become links. */
export function pairsSection(id: string, word: HtmlWord, pairs: readonly NameValue[], say: Say): Section | undefined {
  if (pairs.length === 0) return undefined;
  return {
    id,
    title: say(word),
    count: String(pairs.length),
    body: html`<table class="pairs"><thead><tr><th scope="col">${say('name')}</th><th scope="col">${say('value')}</th></tr></thead><tbody>
${pairs.map(
  ({ name, value = '' }) => html`<tr><td><code>${name}</code></td><td><code>${valueHtml(value)}</code></td></tr>
`,
)}</tbody></table>`,
  };
}

function valueHtml(value: string): Html {
  return safeUrl(value) === undefined ? multiline(value) : linked(value);
}
