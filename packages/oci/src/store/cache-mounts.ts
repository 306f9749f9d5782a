import { createHash } from 'node:crypto';
import { closeSync, fstatSync, futimesSync, mkdirSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flock } from '@boxwright/sys';
import { errorCode, namesIn, readSmallFile, removeFile, unlessMissing } from './files.ts';
import type { StoreSession } from './session.ts';

/** `RUN --mount=type=cache,sharing=`: Dockerfile reference, "RUN --mount=type=cache". */
export type CacheSharing = 'shared' | 'private' | 'locked';

/** A cache directory that this process may use until it lets go of it. */
export interface CacheMount {
  /** The directory to mount. */
  readonly path: string;
  /** Lets others have it. Harmless when called twice. */
  release(): void;
}

/** How to get a cache directory. */
export interface AcquireOptions {
  readonly sharing: CacheSharing;
  /** Fills a new, empty directory (`from=` of the mount); when it throws, or the process dies, nothing was made. */
  readonly initialise?: (dir: string) => void;
  /** Ends the wait for a locked directory. */
  readonly signal?: AbortSignal;
}

/** A directory that no RUN uses now, out of the way for removal. */
export interface IdleCacheMount {
  /** The mount's id as the Dockerfile gives it. */
  readonly id: string;
  /** Its directory. */
  readonly path: string;
  /** When it was last taken, milliseconds since 1970. */
  readonly usedAt: number;
}

const pollMs = 50;

/**
 * Directories that RUN steps keep things in between builds. An id has one directory, `0`, and more of them when
 * `sharing=private` meets a directory in use. Who uses one holds a flock(2) on `<slot>.lock`: the kernel lets go of it
 * when the process is killed, and it holds across containers.
 */
export class CacheMounts {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /**
   * Gets the directory of an id: `shared` at the same time as other `shared` users, `private` alone with a fresh one
   * when needed, `locked` alone after waiting for the others.
   *
   * @throws the signal's reason, SystemCallError when locks cannot be had
   */
  async acquire(id: string, options: AcquireOptions): Promise<CacheMount> {
    const home = this.#homeOf(id);
    for (;;) {
      options.signal?.throwIfAborted();
      const slots = slotsIn(home);
      for (const slot of slots) {
        const mount = this.#tryTake(home, slot, options);
        if (mount !== undefined) return mount;
      }
      if (slots.length === 0 || options.sharing !== 'locked') {
        const next = Math.max(-1, ...slots) + 1;
        const mount = this.#tryTake(home, next, options);
        if (mount !== undefined) return mount;
      } else {
        await sleep(pollMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
          () => undefined,
        );
      }
    }
  }

  /**
   * Moves directories that nobody uses to where `trash` says, those for which `wanted` is true.
   *
   * @throws SystemCallError when locks cannot be had
   */
  takeIdle(wanted: (mount: IdleCacheMount) => boolean, trash: (mount: IdleCacheMount) => string | undefined): void {
    for (const name of namesIn(this.#session.layout.cacheMounts)) {
      const home = join(this.#session.layout.cacheMounts, name);
      const id = readSmallFile(join(home, 'id'), 64 * 1024)?.toString() ?? name;
      for (const slot of slotsIn(home)) {
        const lock = takeLock(lockPath(home, slot), 'exclusive');
        if (lock === undefined) continue;
        try {
          const mount = { id, path: join(home, String(slot)), usedAt: fstatSync(lock.fd).mtimeMs };
          const target = wanted(mount) ? trash(mount) : undefined;
          if (target === undefined) continue;
          unlessMissing(() => renameSync(mount.path, target));
          removeFile(lockPath(home, slot));
        } finally {
          closeSync(lock.fd);
        }
      }
    }
  }

  #homeOf(id: string): string {
    const home = join(this.#session.layout.cacheMounts, createHash('sha256').update(id).digest('hex'));
    mkdirSync(home, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(join(home, 'id'), id, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    return home;
  }

  /** Takes a slot if it is free in the way asked for, making its directory first when there is none. */
  #tryTake(home: string, slot: number, { sharing, initialise }: AcquireOptions): CacheMount | undefined {
    const path = join(home, String(slot));
    for (;;) {
      const exists = unlessMissing(() => statSync(path)) !== undefined;
      // Only who is alone may fill a new directory.
      const lock = takeLock(lockPath(home, slot), sharing === 'shared' && exists ? 'shared' : 'exclusive');
      if (lock === undefined) return undefined;
      let kept = false;
      try {
        if (unlessMissing(() => statSync(path)) === undefined) {
          // Removed since: look again, alone this time.
          if (lock.mode === 'shared') continue;
          this.#make(path, initialise);
        }
        const now = new Date();
        futimesSync(lock.fd, now, now);
        // From alone to shared; flock(2) lets go in between, then somebody else may have been faster.
        if (sharing === 'shared' && lock.mode === 'exclusive' && !flock(lock.fd, 'shared', { nonBlocking: true }))
          continue;
        kept = unlessMissing(() => statSync(path)) !== undefined;
        if (kept) return { path, release: once(() => closeSync(lock.fd)) };
      } finally {
        if (!kept) closeSync(lock.fd);
      }
    }
  }

  #make(path: string, initialise: AcquireOptions['initialise']): void {
    const temporary = this.#session.temporaryPath('cache-mount');
    mkdirSync(temporary, { mode: 0o755 });
    initialise?.(temporary);
    renameSync(temporary, path);
  }
}

function slotsIn(home: string): number[] {
  return namesIn(home)
    .filter((name) => /^[0-9]{1,6}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

function lockPath(home: string, slot: number): string {
  return join(home, `${slot}.lock`);
}

/** An open, locked lock file, or undefined when another one holds it. */
function takeLock(
  path: string,
  mode: 'shared' | 'exclusive',
): { readonly fd: number; readonly mode: 'shared' | 'exclusive' } | undefined {
  for (;;) {
    const fd = openSync(path, 'a', 0o600);
    if (!flock(fd, mode, { nonBlocking: true })) {
      closeSync(fd);
      return undefined;
    }
    // A collector may have removed the file between the two calls: then this is a lock that nobody else sees.
    if (unlessMissing(() => statSync(path))?.ino === fstatSync(fd).ino) return { fd, mode };
    closeSync(fd);
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
