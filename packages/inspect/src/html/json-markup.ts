import { type Html, html, multiline } from './markup.ts';

/** Indented JSON text with its member names and strings marked for colours. */
export function jsonMarkup(text: string): Html {
  const parts: Html[] = [];
  let end = 0;
  for (let start = text.indexOf('"'); start >= 0; start = text.indexOf('"', end)) {
    parts.push(multiline(text.slice(end, start)));
    end = stringEnd(text, start);
    const string = text.slice(start, end);
    parts.push(text[end] === ':' ? html`<em>${string}</em>` : html`<q>${string}</q>`);
  }
  parts.push(multiline(text.slice(end)));
  return html`${parts}`;
}

/** Behind the closing quote of the string that begins at `start`. Not a pattern: strings may have megabytes. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
