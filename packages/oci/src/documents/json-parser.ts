import { JsonNumber, type JsonValue } from './json.ts';

/** How strict {@link parseJson} is about what RFC 8259 leaves open. */
export interface JsonParseOptions {
  /** What to do when an object has a key twice; Go, and JSON.parse, take the last. */
  readonly duplicateKeys: 'refuse' | 'last';
  /** Arrays and objects inside each other. */
  readonly maxDepth: number;
}

/** The text is not JSON as asked for; `offset` counts UTF-16 code units. */
export class JsonSyntaxError extends Error {
  readonly offset: number;

  constructor(why: string, offset: number) {
    super(`${why} at offset ${offset}`);
    this.name = 'JsonSyntaxError';
    this.offset = offset;
  }
}

/**
 * Parses JSON (RFC 8259) from outside: UTF-8 without byte order mark, bounded depth, no number beyond double range, no
 * duplicate keys when asked. Lone surrogates become U+FFFD, as in Go.
 *
 * @throws JsonSyntaxError
 */
export function parseJson(bytes: Uint8Array, options: JsonParseOptions): JsonValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JsonSyntaxError('invalid UTF-8', 0);
  }
  return new Parser(text, options).document();
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class Parser {
  private readonly text: string;
  private readonly options: JsonParseOptions;
  private at = 0;

  constructor(text: string, options: JsonParseOptions) {
    this.text = text;
    this.options = options;
  }

  document(): JsonValue {
    if (this.text.startsWith('\ufeff')) this.fail('byte order mark');
    const value = this.value(0);
    this.skipBlanks();
    if (this.at < this.text.length) this.fail('something after the end of the document');
    return value;
  }

  private value(depth: number): JsonValue {
    this.skipBlanks();
    switch (this.text.charAt(this.at)) {
      case '{':
        return this.object(depth + 1);
      case '[':
        return this.array(depth + 1);
      case '"':
        return this.string();
      case 't':
        return this.literal('true', true);
      case 'f':
        return this.literal('false', false);
      case 'n':
        return this.literal('null', null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonValue {
    this.enter(depth);
    const result = new Map<string, JsonValue>();
    if (this.closes('}')) return result;
    do {
      this.skipBlanks();
      const start = this.at;
      if (this.text[this.at] !== '"') this.fail('a key is missing');
      const key = this.string();
      if (this.options.duplicateKeys === 'refuse' && result.has(key)) this.fail('duplicate key', start);
      this.skipBlanks();
      if (this.text[this.at] !== ':') this.fail('a colon is missing');
      this.at++;
      result.set(key, this.value(depth));
    } while (this.continues('}'));
    return result;
  }

  private array(depth: number): JsonValue {
    this.enter(depth);
    const result: JsonValue[] = [];
    if (this.closes(']')) return result;
    do {
      result.push(this.value(depth));
    } while (this.continues(']'));
    return result;
  }

  private enter(depth: number): void {
    if (depth > this.options.maxDepth) this.fail(`more than ${this.options.maxDepth} levels`);
    this.at++;
  }

  private closes(end: string): boolean {
    this.skipBlanks();
    if (this.text[this.at] !== end) return false;
    this.at++;
    return true;
  }

  /** After a value: true at a comma, false at the end. */
  private continues(end: string): boolean {
    if (this.closes(end)) return false;
    if (this.text[this.at] !== ',') this.fail(`a comma or ${end} is missing`);
    this.at++;
    return true;
  }

  private string(): string {
    const start = this.at;
    let end = start;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) this.fail('a string does not end', start);
    } while (this.isEscaped(end));
    this.at = end + 1;
    try {
      // The built-in parser knows the escapes and refuses control characters; it sees one string literal, nothing else.
      const value: unknown = JSON.parse(this.text.slice(start, this.at));
      if (typeof value === 'string') return value.toWellFormed();
    } catch {
      // reported below, with our offset
    }
    return this.fail('an invalid string', start);
  }

  /** A quote after an odd number of backslashes belongs to the string. */
  private isEscaped(quote: number): boolean {
    let before = quote;
    while (this.text[before - 1] === '\\') before--;
    return (quote - before) % 2 === 1;
  }

  private number(): JsonValue {
    numberPattern.lastIndex = this.at;
    const text = numberPattern.exec(this.text)?.[0];
    if (text === undefined) return this.fail(this.at < this.text.length ? 'not a value' : 'the document ends early');
    const value = Number(text);
    if (!Number.isFinite(value)) this.fail('a number that is too large');
    this.at += text.length;
    return String(value) === text ? value : new JsonNumber(text);
  }

  private literal<T extends JsonValue>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail('not a value');
    this.at += word.length;
    return value;
  }

  private skipBlanks(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private fail(why: string, offset: number = this.at): never {
    throw new JsonSyntaxError(why, offset);
  }
}
