import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type ByteString, fromByteString } from '../bytes.ts';

/** PATH_MAX less its NUL: no longer name can be created by one system call (path_resolution(7)). */
const MAX_PATH_BYTES = 4095;
/** NAME_MAX of every Linux file system that images are unpacked on. */
const MAX_NAME_BYTES = 255;

/** Links followed in one path before it counts as a loop (what Go's and containerd's resolvers allow). */
export const MAX_LINKS = 255;

/** The path of the root of a layer or image. The cast makes the brand: no bytes. */
export const ROOT_PATH: ByteString = '' as ByteString;

/** Matches a component that is empty, `.` or `..`: what cleaning has to look at. */
const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The one way from a name in a layer to a path inside the root: empty and `.` components are dropped, `..` is resolved
 * textually, `''` is the root. What an entry is called never decides where it lands outside of its root.
 *
 * @throws BoxwrightError `LAYER_PATH_INVALID` for a name that climbs above the root, holds a NUL, or is longer than a
 * path or a component may be
 */
export function layerPath(raw: ByteString): ByteString {
  if (raw.includes('\0')) throw invalid(raw, 'holds a NUL byte');
  if (raw.length <= MAX_NAME_BYTES && !UNCLEAN.test(raw)) return raw;
  const kept: string[] = [];
  for (const component of raw.split('/')) {
    if (component === '' || component === '.') continue;
    if (component === '..') {
      if (kept.pop() === undefined) throw invalid(raw, 'climbs above the root');
      continue;
    }
    if (component.length > MAX_NAME_BYTES) throw invalid(raw, `has a component longer than ${MAX_NAME_BYTES} bytes`);
    kept.push(component);
  }
  // The cast keeps the brand: components of a ByteString joined by an ASCII character.
  const path = kept.join('/') as ByteString;
  if (path.length > MAX_PATH_BYTES) throw invalid(raw, `is longer than ${MAX_PATH_BYTES} bytes`);
  return path;
}

/** `dir` and `name` joined; `''` is the root. */
export function joinPath(dir: ByteString, name: string): ByteString {
  // The cast keeps the brand: `name` is a component of a ByteString.
  return (dir === '' ? name : `${dir}/${name}`) as ByteString;
}

/**
 * {@link joinPath} for a directory that links may have led to.
 *
 * @throws BoxwrightError `LAYER_PATH_INVALID` when the result is longer than a path may be
 */
export function childPath(dir: ByteString, name: string): ByteString {
  const path = joinPath(dir, name);
  if (path.length > MAX_PATH_BYTES) throw invalid(path, `is longer than ${MAX_PATH_BYTES} bytes`);
  return path;
}

/** The directory that holds `path`; `''` for what lies in the root, and for the root itself. */
export function parentPath(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  // The cast keeps the brand: a part of a ByteString.
  return (slash < 0 ? '' : path.slice(0, slash)) as ByteString;
}

/** The last component of `path`; `''` for the root. */
export function baseName(path: ByteString): ByteString {
  // The cast keeps the brand: a part of a ByteString.
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}

/** A path of a layer as it may be printed: absolute, decoded, escaped, cut when long. */
export function displayPath(path: ByteString): string {
  const text = escapeForTerminal(fromByteString(path));
  return `/${text.length > 300 ? `${text.slice(0, 300)}…` : text}`;
}

function invalid(raw: ByteString, why: string): BoxwrightError {
  return new BoxwrightError('LAYER_PATH_INVALID', `layer entry ${JSON.stringify(displayPath(raw))} ${why}`, {
    hint: 'No honest tool writes such a name: the layer is broken or meant to do harm.',
  });
}
