import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from '@boxwright/oci';
import type { InfoObject } from './info-source.ts';

/** Go's zero time, which Docker prints for what has no time. */
export const zeroTime = '0001-01-01T00:00:00Z';

/** Go's `omitempty`. */
export function present(name: string, value: unknown): InfoObject {
  const empty =
    value === undefined ||
    value === '' ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) && value.length === 0);
  return empty ? {} : { [name]: value };
}

/** Go prints a set of names as a map to empty objects, sorted. */
export function nameSet(names: readonly string[]): InfoObject | undefined {
  return names.length === 0 ? undefined : objectOf(names.map((name) => [name, {}]));
}

/** A map of texts, sorted; undefined when it is empty. */
export function sortedMap(map: ReadonlyMap<string, string>): InfoObject | undefined {
  return map.size === 0 ? undefined : objectOf(map);
}

/** An object with its keys sorted. fromEntries defines properties, so that a label named __proto__ stays a label. */
function objectOf(entries: Iterable<readonly [string, unknown]>): InfoObject {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A member as the document has it: absent and null are null, objects are sorted, as Go's maps are. */
export function rawValue(json: JsonObject | undefined, name: string): unknown {
  return plainValue(json?.get(name) ?? null);
}

/** True for a member that Go's `omitempty` leaves out. */
export function isEmptyValue(value: unknown): boolean {
  return (
    value === null ||
    Object.keys(present('x', value)).length === 0 ||
    (typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0)
  );
}

function plainValue(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (isJsonObject(value)) return objectOf(Array.from(value, ([key, member]) => [key, plainValue(member)] as const));
  return Array.isArray(value) ? value.map(plainValue) : value;
}

/** RFC 3339 as Go prints it again: nanoseconds without trailing zeros, UTC as `Z`. */
export function goTime(time: string): string {
  return time
    .replace(/\.(\d{1,9})\d*/, (_, digits: string) => `.${digits}`)
    .replace(/(\.\d*?)0+(?=Z|[+-]\d\d:)/, '$1')
    .replace(/\.(?=Z|[+-]\d\d:)/, '')
    .replace(/[+-]00:00$/, 'Z');
}
