/** A list found in a text, and where the text goes on. */
export interface ParsedList {
  readonly words: readonly string[];
  readonly end: number;
}

/**
 * A string slice as Go's `%q` prints it, `["a" "b"]`, from `start` on; undefined when the text is something else.
 * Linear in the length of the list.
 */
export function parseGoQuotedList(text: string, start = 0): ParsedList | undefined {
  if (text[start] !== '[') return undefined;
  const words: string[] = [];
  let position = start + 1;
  if (text[position] === ']') return { words, end: position + 1 };
  for (;;) {
    const string = parseGoString(text, position);
    if (string === undefined) return undefined;
    words.push(string.value);
    position = string.end;
    if (text[position] === ']') return { words, end: position + 1 };
    if (text[position] !== ' ') return undefined;
    position++;
  }
}

/** Go specification "String literals", the escapes that are one character. */
const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ['"', '"'],
  ["'", "'"],
]);

const numericEscape = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})/y;

/** An interpreted string literal of Go, from its opening quote on. Bytes that are no UTF-8 become U+FFFD. */
function parseGoString(text: string, start: number): { readonly value: string; readonly end: number } | undefined {
  if (text[start] !== '"') return undefined;
  const parts: Buffer[] = [];
  let position = start + 1;
  let plain = position;
  const takePlain = (): void => {
    if (position > plain) parts.push(Buffer.from(text.slice(plain, position)));
  };
  while (position < text.length) {
    const character = text[position];
    if (character === '"') {
      takePlain();
      return { value: Buffer.concat(parts).toString(), end: position + 1 };
    }
    if (character !== '\\') {
      position++;
      continue;
    }
    takePlain();
    const escape = parseEscape(text, position + 1);
    if (escape === undefined) return undefined;
    parts.push(escape.bytes);
    position = escape.end;
    plain = position;
  }
  return undefined;
}

/** What follows a backslash. `\x` and octal escapes are bytes, the others characters. */
function parseEscape(text: string, position: number): { readonly bytes: Buffer; readonly end: number } | undefined {
  const short = shortEscapes.get(text[position] ?? '');
  if (short !== undefined) return { bytes: Buffer.from(short), end: position + 1 };
  numericEscape.lastIndex = position;
  const match = numericEscape.exec(text);
  if (match === null) return undefined;
  const end = numericEscape.lastIndex;
  const [, hex, short16, long32, octal] = match;
  const byte =
    hex === undefined ? (octal === undefined ? undefined : Number.parseInt(octal, 8)) : Number.parseInt(hex, 16);
  if (byte !== undefined) return byte > 0xff ? undefined : { bytes: Buffer.from([byte]), end };
  const code = Number.parseInt(short16 ?? long32 ?? '', 16);
  return code > 0x10ffff ? undefined : { bytes: Buffer.from(String.fromCodePoint(code)), end };
}

/** The number that Go's `%q` prints as a character: `'\x03'` is 3. */
export function parseGoRune(text: string): number | undefined {
  const inner = /^'([\s\S]*)'$/.exec(text)?.[1];
  if (inner === undefined) return undefined;
  if (!inner.startsWith('\\')) return /^.$/su.test(inner) ? inner.codePointAt(0) : undefined;
  const escape = parseEscape(inner, 1);
  if (escape === undefined || escape.end !== inner.length) return undefined;
  return /^\\x|^\\[0-7]/.test(inner) ? escape.bytes[0] : escape.bytes.toString().codePointAt(0);
}

/** A JSON array of strings, as the exec form of a Dockerfile has it. */
export function parseJsonList(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
