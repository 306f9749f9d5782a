import { escapeForTerminal } from '@boxwright/errors';

/** HTML that is complete and safe: only {@link html} and its kin make it. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What {@link html} takes: text (which is escaped), HTML (which is not), lists of both, and nothing. */
export type HtmlPart = string | number | Html | undefined | readonly HtmlPart[];

/**
 * A template of HTML. Every text put into it is escaped, inside quoted attributes as well as between tags; there is no
 * way around it, so that text from an image cannot become markup. Attributes have to be quoted.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let markup = strings[0] ?? '';
  parts.forEach((part, index) => {
    markup += rendered(part) + (strings[index + 1] ?? '');
  });
  return new Html(markup);
}

/** Text of several lines: newlines stay (for `white-space: pre-wrap`), tabs become blanks, the rest is escaped. */
export function multiline(text: string): Html {
  const lines = text.split(/\r?\n/).map((line) => escapeHtml(line.replaceAll('\t', '    ')));
  return new Html(lines.join('\n'));
}

function rendered(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return part.map(rendered).join('');
}

const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

/** Controls and what turns the direction of writing are shown as escapes, as on a terminal: one sees what is there. */
function escapeHtml(text: string): string {
  return escapeForTerminal(text).replace(/[&<>"']/g, (character) => entities.get(character) ?? '');
}
