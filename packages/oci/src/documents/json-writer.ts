import { toByteString } from '../bytes.ts';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from './json.ts';

/**
 * Writes JSON as Go's encoding/json does (the tools whose bytes ours should equal are written in Go): `<`, `>`, `&`,
 * U+2028 and U+2029 escaped, no blanks, or one level per `indent` as `json.MarshalIndent`. Keys keep their order.
 */
export function goJson(value: JsonValue, indent = ''): string {
  return write(value, indent, indent === '' ? '' : '\n');
}

function write(value: JsonValue, indent: string, lineBreak: string): string {
  if (typeof value === 'string') return goString(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return number(value);
  if (value instanceof JsonNumber) return value.text;
  const inner = lineBreak === '' ? '' : lineBreak + indent;
  if (isJsonObject(value)) {
    const colon = lineBreak === '' ? ':' : ': ';
    const members = Array.from(value, ([key, member]) => goString(key) + colon + write(member, indent, inner));
    return bracket('{', members, '}', inner, lineBreak);
  }
  const items = value.map((item) => write(item, indent, inner));
  return bracket('[', items, ']', inner, lineBreak);
}

function bracket(open: string, parts: readonly string[], close: string, inner: string, lineBreak: string): string {
  return parts.length === 0 ? open + close : open + inner + parts.join(`,${inner}`) + lineBreak + close;
}

function number(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`JSON has no ${value}`);
  return String(value);
}

function goString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Members in Go's order for maps: by the bytes of their keys. */
export function sortedObject(members: Iterable<readonly [string, JsonValue]>): JsonObject {
  const byBytes = Array.from(members, (member) => ({ bytes: toByteString(member[0].toWellFormed()), member }));
  byBytes.sort((a, b) => (a.bytes < b.bytes ? -1 : Number(a.bytes > b.bytes)));
  return new Map(byBytes.map(({ member }) => member));
}
