const named: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\\', '\\\\'],
]);

/**
 * Text as Python's `repr` writes it: in single quotes, or in double quotes when it holds `'` and no `"`; what is not
 * printable as `\n`, `\x1b`, `\u2028`, `\U000e0001`. Messages and commands that must equal Prefect's are written with it.
 */
export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = '';
  for (const character of text) body += character === quote ? `\\${quote}` : pythonCharacter(character);
  return `${quote}${body}${quote}`;
}

function pythonCharacter(character: string): string {
  const short = named.get(character);
  if (short !== undefined) return short;
  // Python's isprintable: no category "other" or "separator", but the space.
  if (character === ' ' || !/[\p{C}\p{Z}]/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hexadecimal = code.toString(16);
  if (code < 0x100) return `\\x${hexadecimal.padStart(2, '0')}`;
  return code < 0x1_0000 ? `\\u${hexadecimal.padStart(4, '0')}` : `\\U${hexadecimal.padStart(8, '0')}`;
}
