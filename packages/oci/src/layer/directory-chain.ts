import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { ByteString } from '../bytes.ts';
import { errorCode, type Surroundings } from './attributes.ts';
import { overLimit } from './layer-errors.ts';
import { childPath, ROOT_PATH } from './layer-path.ts';
import { childOf, type DirectoryPrefix, O_PATH, prefixOf } from './remove-tree.ts';

/** A place to look names up in, but nothing else: `O_PATH` asks for no permission to read it. */
export const DIRECTORY_FLAGS: number = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory of the target that is open: names in it are reached through `prefix`, never through a path. */
export interface OpenDirectory extends Surroundings {
  /** Real path inside the target: no component of it is a link. */
  readonly path: ByteString;
  readonly fd: number;
  readonly prefix: DirectoryPrefix;
}

/** Open directories, each inside the one before, the root first; there is always at least the root. */
export class DirectoryChain {
  readonly #chain: OpenDirectory[];
  readonly #maxDepth: number;

  /** Descriptor of the root, also while the chain is elsewhere. */
  readonly rootFd: number;

  /** Takes over `rootFd`. */
  constructor(rootFd: number, maxDepth: number) {
    this.rootFd = rootFd;
    this.#chain = [openDirectoryOf(ROOT_PATH, rootFd, fstatSync(rootFd, { bigint: true }))];
    this.#maxDepth = maxDepth;
  }

  /** The directory entered last. */
  get top(): OpenDirectory {
    const top = this.#chain.at(-1);
    if (top === undefined) throw new Error('the target directory is closed');
    return top;
  }

  /** The directory that the top was entered from; undefined when the top is the root. */
  get aboveTop(): OpenDirectory | undefined {
    return this.#chain.at(-2);
  }

  /** The root; the chain is left at it. */
  root(): OpenDirectory {
    this.popTo(ROOT_PATH);
    return this.top;
  }

  /** Enters the open directory `fd`, a child of the top, and takes the descriptor over; throws `LAYER_LIMIT`. */
  push(path: ByteString, fd: number): BigIntStats {
    try {
      // The root is no component.
      if (this.#chain.length > this.#maxDepth) throw overLimit('depth', this.#maxDepth);
      const stats = fstatSync(fd, { bigint: true });
      this.#chain.push(openDirectoryOf(path, fd, stats));
      return stats;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Leaves the top, unless it is the root. */
  pop(): void {
    if (this.#chain.length > 1) this.#close();
  }

  /** Leaves directories until the top is `path` or above it. */
  popTo(path: ByteString): void {
    for (let top = this.top.path; top !== '' && top !== path; top = this.top.path) {
      if (path.startsWith(top) && path.charCodeAt(top.length) === 0x2f) return;
      this.pop();
    }
  }

  /** The components that lead from the top, which is above `path`, to `path`; last first. */
  pendingTo(path: ByteString): string[] {
    const from = this.top.path;
    return path
      .slice(from === '' ? 0 : from.length + 1)
      .split('/')
      .reverse();
  }

  /** Enters a directory by its real path; false when it is not there any more. */
  enterReal(path: ByteString): boolean {
    this.popTo(path);
    const pending = this.pendingTo(path);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '') continue;
      const fd = openDirectory(childOf(this.top.prefix, name));
      if (fd === undefined) return false;
      this.push(childPath(this.top.path, name), fd);
    }
    return true;
  }

  /** Looks again at what new files in the top inherit, after its owner or mode was changed. */
  refresh(): void {
    const { path, fd } = this.top;
    this.#chain[this.#chain.length - 1] = openDirectoryOf(path, fd, fstatSync(fd, { bigint: true }));
  }

  /** Closes all descriptors. */
  close(): void {
    while (this.#chain.length > 0) this.#close();
  }

  #close(): void {
    const left = this.#chain.pop();
    if (left !== undefined) closeSync(left.fd);
  }
}

/** A descriptor of the directory itself; undefined when there is none, or something else. */
export function openDirectory(path: string | Buffer): number | undefined {
  try {
    return openSync(path, DIRECTORY_FLAGS);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}

function openDirectoryOf(path: ByteString, fd: number, stats: BigIntStats): OpenDirectory {
  return { path, fd, prefix: prefixOf(fd), gid: Number(stats.gid), isSetgid: (stats.mode & 0o2000n) !== 0n };
}
