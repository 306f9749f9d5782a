import { skipSpace } from './go-space.ts';

/** What the arguments of an instruction are as JSON: an array of strings, an array of something else, or not an array. */
export type JsonArray =
  | { readonly kind: 'strings'; readonly values: readonly string[] }
  | { readonly kind: 'mixed' | 'none' };

/**
 * Reads `["a", "b"]`. Text that is no JSON array is `none` (BuildKit then takes it for the shell form, also when something
 * follows the array); a JSON array with other than strings in it is `mixed`, which BuildKit refuses.
 */
export function parseJsonArray(text: string): JsonArray {
  const start = skipSpace(text, 0);
  if (text[start] !== '[') return { kind: 'none' };
  let value: unknown;
  try {
    value = JSON.parse(text.slice(start));
  } catch {
    return { kind: 'none' };
  }
  if (!Array.isArray(value)) return { kind: 'none' };
  const values: string[] = [];
  for (const item of value) {
    if (typeof item !== 'string') return { kind: 'mixed' };
    // Go's decoder turns lone surrogates into U+FFFD.
    values.push(item.toWellFormed());
  }
  return { kind: 'strings', values };
}
