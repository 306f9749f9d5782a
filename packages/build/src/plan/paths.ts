import { posix } from 'node:path';

/** Go's `filepath.Clean` of an absolute path, a trailing slash (or `/.`) kept as one slash where `keepSlash`. */
export function cleanAbsolute(path: string, keepSlash: boolean): string {
  const cleaned = posix.resolve('/', path);
  return keepSlash && cleaned !== '/' && (path.endsWith('/') || path.endsWith('/.')) ? `${cleaned}/` : cleaned;
}

/** A destination as COPY and ADD mean it: relative to the working directory, `.` and empty are that directory. */
export function resolveDestination(workingDir: string, dest: string): string {
  if (dest.startsWith('/')) return cleanAbsolute(dest, true);
  const relative = dest === '.' || dest === '' ? './' : dest;
  return cleanAbsolute(`${workingDir === '' ? '/' : workingDir}/${relative}`, true);
}

/**
 * WORKDIR: absolute paths replace, relative ones append. As BuildKit does it, config and history have an absolute path as
 * it is written, with all its slashes and dots; only what was appended to is cleaned.
 */
export function resolveWorkdir(workingDir: string, path: string): string {
  return path.startsWith('/') ? path : posix.resolve('/', workingDir, path);
}
