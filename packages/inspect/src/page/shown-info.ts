import type { InfoObject } from '../info/info-source.ts';

/** The info as it is shown: a note in place of members that belong to a host. `paths` are a page's `hostSpecific`. */
export function shownInfo(info: InfoObject, paths: readonly string[], note: string): InfoObject {
  return paths.reduce((object, path) => replaced(object, path.split('.'), note), info);
}

/** A copy of an object with a member exchanged, if it is there. The paths are ours. */
function replaced(object: InfoObject, [name, ...rest]: readonly string[], value: string): InfoObject {
  if (name === undefined || !Object.hasOwn(object, name)) return object;
  const member = object[name];
  if (rest.length === 0) return { ...object, [name]: value };
  return isObject(member) ? { ...object, [name]: replaced(member, rest, value) } : object;
}

function isObject(value: unknown): value is InfoObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
