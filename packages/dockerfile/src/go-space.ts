/**
 * White space as Go's unicode.IsSpace knows it, which BuildKit's parser trims and splits by. JavaScript's `trim` differs:
 * it knows U+FEFF and not U+0085.
 */
export function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0x85) return false;
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** First index at or after `from` that is no white space. */
export function skipSpace(text: string, from: number): number {
  let index = from;
  while (index < text.length && isSpace(text.charCodeAt(index))) index++;
  return index;
}

/** Length of the text without trailing white space. */
export function trimmedEnd(text: string): number {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
}

export function trimSpace(text: string): string {
  const start = skipSpace(text, 0);
  return start === text.length ? '' : text.slice(start, trimmedEnd(text));
}

/** The separators between arguments: tab, vertical tab, form feed, carriage return and blank (not U+00A0). */
export function isSeparator(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0b || code === 0x0c || code === 0x0d;
}
