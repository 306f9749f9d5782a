import { closeSync } from 'node:fs';
import type { ByteString } from '../bytes.ts';
import { openDirectory } from './directory-chain.ts';
import { tooManyLinks } from './layer-errors.ts';
import { childPath, MAX_LINKS, ROOT_PATH } from './layer-path.ts';
import { childOf, type DirectoryPrefix, prefixOf } from './remove-tree.ts';

/** A directory that was there; to be closed. */
export interface ExistingDirectory {
  /** Real path inside the target. */
  readonly path: ByteString;
  readonly prefix: DirectoryPrefix;
  close(): void;
}

/**
 * Walks from the root to a directory without making anything: the same steps as when entries are placed (threat U3),
 * each directory opened with `O_NOFOLLOW` inside the one before.
 *
 * @param linkTarget the text of a symlink that may be followed, or undefined for anything else
 * @throws BoxwrightError `LAYER_LINK_INVALID` for a loop
 */
export function findExisting(
  rootFd: number,
  path: ByteString,
  linkTarget: (target: string | Buffer, path: ByteString) => string | undefined,
): ExistingDirectory | undefined {
  const opened: { path: ByteString; fd: number }[] = [];
  const close = (): void => {
    for (const { fd } of opened.splice(0)) closeSync(fd);
  };
  const root = { path: ROOT_PATH, fd: rootFd };
  const here = (): { path: ByteString; fd: number } => opened.at(-1) ?? root;
  let links = 0;
  try {
    const pending = path.split('/').reverse();
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        const left = opened.pop();
        if (left !== undefined) closeSync(left.fd);
        continue;
      }
      const step = childPath(here().path, name);
      const place = childOf(prefixOf(here().fd), name);
      const fd = openDirectory(place);
      if (fd !== undefined) {
        opened.push({ path: step, fd });
        continue;
      }
      const target = linkTarget(place, step);
      if (target === undefined) {
        close();
        return undefined;
      }
      if (++links > MAX_LINKS) throw tooManyLinks(path);
      if (target.startsWith('/')) close();
      for (const part of target.split('/').reverse()) pending.push(part);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { path: here().path, prefix: prefixOf(here().fd), close };
}
