/** Where a path leads. */
export type PathResult =
  | { readonly found: true; readonly value: unknown }
  | {
      readonly found: false;
      /** How many segments could be followed. */
      readonly followed: number;
      /** The names that are there instead of the next segment, if it was asked of a mapping. */
      readonly candidates: readonly string[];
    };

/**
 * Follows a path into a value, as Prefect's `get_from_dict` does: whole numbers are places in a list or a text (negative ones count from its
 * end), anything else is a key. Other than there, a key that looks like a number is found. Only own members count; a null
 * that is found is a value.
 */
export function followPath(value: unknown, path: readonly string[]): PathResult {
  let current = value;
  for (const [followed, segment] of path.entries()) {
    const next = member(current, segment);
    if (next === undefined) return { found: false, followed, candidates: keysOf(current) };
    current = next.value;
  }
  return { found: true, value: current };
}

function member(value: unknown, segment: string): { readonly value: unknown } | undefined {
  if (Array.isArray(value) || typeof value === 'string') {
    if (!/^-?\d{1,15}$/.test(segment)) return undefined;
    // By characters, not by UTF-16 units.
    const items: readonly unknown[] = typeof value === 'string' ? Array.from(value) : value;
    const index = Number(segment);
    const place = index < 0 ? items.length + index : index;
    return place >= 0 && place < items.length ? { value: items[place] } : undefined;
  }
  if (value instanceof Map) return value.has(segment) ? { value: value.get(segment) } : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
  const found: unknown = Reflect.get(value, segment);
  return found === undefined ? undefined : { value: found };
}

function keysOf(value: unknown): string[] {
  if (value instanceof Map) return [...value.keys()].map(String);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
