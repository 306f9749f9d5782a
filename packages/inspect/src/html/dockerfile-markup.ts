import { type Html, html, multiline } from './markup.ts';

/** A Dockerfile with its keywords and comments marked for colours. */
export function dockerfileMarkup(text: string): Html {
  let isContinued = false;
  const lines = text.split('\n').map((line, index) => {
    const marked = isContinued ? multiline(line) : lineMarkup(line);
    isContinued = /\\\s*$/.test(line) && !line.startsWith('#');
    return html`${index === 0 ? undefined : multiline('\n')}${marked}`;
  });
  return html`${lines}`;
}

/** Lines of heredocs are taken for instructions when they look like it: it is only a colour. */
function lineMarkup(line: string): Html {
  if (line.startsWith('#')) return html`<i>${multiline(line)}</i>`;
  const keyword = /^[A-Z]{3,11}(?= |$)/.exec(line)?.[0] ?? '';
  return keyword === '' ? multiline(line) : html`<em>${keyword}</em>${multiline(line.slice(keyword.length))}`;
}
