import { readSmallFile } from './small-file.ts';

/**
 * What a JSON file of the docker command holds. One that is none says nothing: the docker command complains about it.
 *
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID when there is one that cannot be read
 */
export function readJson(path: string): unknown {
  const bytes = readSmallFile(path);
  try {
    return bytes === undefined ? undefined : JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** An own member of an object; undefined for all else. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return new Map(Object.entries(value)).get(name);
}
