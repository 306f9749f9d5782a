import { relative } from 'node:path';

/** A path as it is typed in a directory: relative to it where it lies below. */
export function shorterPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}
