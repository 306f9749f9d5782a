import { getSystemErrorMap } from 'node:util';

/** A path as `fs` takes it: UTF-8 text, or the exact bytes when the name is not UTF-8. */
export type PathLike = string | Buffer;

/**
 * A system call failed. Looks like the errors of `fs`: `code` (`'ENOENT'`), `errno` (negative, as in Node), `syscall`,
 * and `path` and `dest` when the call had them.
 */
export class SystemCallError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;

  /** @param errno positive, as C sees it */
  constructor(syscall: string, errno: number, path?: PathLike, dest?: PathLike) {
    const [code, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error'];
    const from = path === undefined ? '' : ` '${path.toString()}'`;
    const to = dest === undefined ? '' : ` -> '${dest.toString()}'`;
    super(`${code}: ${text}, ${syscall}${from}${to}`);
    this.name = 'SystemCallError';
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = path.toString();
    if (dest !== undefined) this.dest = dest.toString();
  }
}
