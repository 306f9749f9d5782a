/**
 * The tables of a TOML file, by name: keys with their values as written (`"3.12"`, `[ "a", "b" ]`). Only what package
 * metadata needs: plain keys, values over several lines, comments. What is written otherwise is not seen.
 */
export function tomlSections(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  sections.set('', section);
  let key: string | undefined;
  let value = '';
  let depth = 0;
  for (const line of withoutCommentsAndTexts(text).split('\n')) {
    const content = line.trim();
    if (key === undefined) {
      const header = /^\[([^[\]]+)\]$/.exec(content)?.[1];
      if (content.startsWith('[')) {
        // Arrays of tables ([[package]]) are not collected.
        section = new Map();
        if (header !== undefined) sections.set(header.trim(), section);
        continue;
      }
      const equals = content.indexOf('=');
      if (equals <= 0) continue;
      key = tomlText(content.slice(0, equals).trim());
      value = content.slice(equals + 1).trim();
      depth = bracketsOpened(value);
    } else {
      value += ` ${content}`;
      depth += bracketsOpened(content);
    }
    if (depth > 0) continue;
    section.set(key, value);
    key = undefined;
  }
  return sections;
}

/** A string without its quotes; anything else as it is. */
export function tomlText(value: string): string {
  return /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value;
}

/** The strings of an array. */
export function tomlTexts(value: string): readonly string[] {
  return [...value.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, double, single]) => double ?? single ?? '');
}

/** A `#` within quotes is none. Of texts over several lines only the quotes are left: nothing that is asked for is one. */
function withoutCommentsAndTexts(text: string): string {
  const tokens = /#[^\n]*|"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\[^\n]|[^"\\\n])*"?|'[^'\n]*'?/g;
  return text.replace(tokens, (token) => {
    if (token.startsWith('#')) return '';
    return /^(?:"""|''')/.test(token) ? '""' : token;
  });
}

/** Brackets that are opened and not closed, those in strings left out. */
function bracketsOpened(text: string): number {
  const brackets = text.replace(/"[^"]*"|'[^']*'/g, '');
  return brackets.replace(/[^[{]/g, '').length - brackets.replace(/[^\]}]/g, '').length;
}
