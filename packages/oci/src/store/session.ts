import { closeSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { errorCode, namesIn, removeFile, writeFully } from './files.ts';
import type { StoreLayout } from './layout.ts';
import { mayBeAlive, ownedName, parseOwnedName } from './owner.ts';
import { removeTree } from './remove-tree.ts';
import { collectionRunning, waitForSweep } from './sweep-mark.ts';

/** Ends the name of a lease whose session was closed during a collection. */
export const finishedSuffix = '.done';

/** What a lease can name: one line `<kind> <name>` of the lease file. */
export type LeaseKind = 'blob' | 'layer' | 'snapshot';

/** What the parts of a store need of a session. */
export type SessionUse = Pick<StoreSession, 'layout' | 'use' | 'temporaryPath'>;

/**
 * What one open store owns while its process runs: a lease file and a temporary directory, both made at first use and
 * removed by {@link close} or when the process exits; when it is killed, later processes see from the name that the
 * owner is gone.
 */
export class StoreSession {
  readonly layout: StoreLayout;
  #name = ownedName();
  readonly #leased = new Set<string>();
  #lease: number | 'unwritable' | undefined;
  #temporary: string | undefined;
  #counter = 0;

  constructor(layout: StoreLayout) {
    this.layout = layout;
  }

  /**
   * Keeps a thing from being collected while this session is open. Call it *before* looking whether the thing is
   * there: from its return on, what is there stays (see gc.ts for why). False when this session had it already.
   */
  use(kind: LeaseKind, name: string): boolean {
    const line = `${kind} ${name}`;
    if (this.#leased.has(line)) return false;
    const fd = this.#leaseFile();
    if (fd !== undefined) {
      writeFully(fd, Buffer.from(`${line}\n`));
      waitForSweep(this.layout.collections);
    }
    this.#leased.add(line);
    return true;
  }

  /** This session for reading on behalf of a collector: what is looked at is not kept by that. */
  observer(): SessionUse {
    return { layout: this.layout, use: () => false, temporaryPath: (label) => this.temporaryPath(label) };
  }

  /** This session's own directory for unfinished work, on the store's file system. */
  temporaryDirectory(): string {
    if (this.#temporary === undefined) {
      removeAbandoned(this.layout.temporary);
      const path = join(this.layout.temporary, this.#name);
      makeOwned(path, this.layout);
      this.#temporary = path;
      this.#closeAtExit();
    }
    return this.#temporary;
  }

  /** A path in {@link temporaryDirectory} that nothing has yet. */
  temporaryPath(label: string): string {
    return join(this.temporaryDirectory(), `${label}-${this.#counter++}`);
  }

  /** Removes what the session owns. The store may be used again afterwards: it then starts a new lease. */
  close(): void {
    openSessions.delete(this);
    if (this.#temporary !== undefined) {
      removeTree(this.#temporary);
      this.#temporary = undefined;
    }
    if (typeof this.#lease === 'number') {
      closeSync(this.#lease);
      // A collection that runs now may still need to learn what this session used, and removes the file itself later.
      if (collectionRunning(this.layout.collections))
        renameSync(this.#leasePath(), `${this.#leasePath()}${finishedSuffix}`);
      else removeFile(this.#leasePath());
    }
    this.#lease = undefined;
    this.#name = ownedName();
    this.#leased.clear();
  }

  #leasePath(): string {
    return join(this.layout.leases, this.#name);
  }

  #leaseFile(): number | undefined {
    if (this.#lease === undefined) {
      try {
        this.#lease = openSync(this.#leasePath(), 'ax', 0o600);
        this.#closeAtExit();
      } catch (error) {
        // A store that cannot be written cannot be collected by this user either.
        if (!readOnly.has(errorCode(error))) throw error;
        this.#lease = 'unwritable';
      }
    }
    return this.#lease === 'unwritable' ? undefined : this.#lease;
  }

  #closeAtExit(): void {
    if (openSessions.size === 0 && !listening) {
      listening = true;
      process.on('exit', closeAll);
    }
    openSessions.add(this);
  }
}

function makeOwned(path: string, { root, temporary }: StoreLayout): void {
  try {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      mkdirSync(temporary, { mode: 0o700 });
      mkdirSync(path, { mode: 0o700 });
    }
  } catch (error) {
    if (!readOnly.has(errorCode(error))) throw error;
    throw new BoxwrightError('STORE_READ_ONLY', `the image store ${escapeForTerminal(root)} cannot be written`, {
      hint: 'Set BOXWRIGHT_HOME to a directory that you can write to.',
      cause: error,
    });
  }
}

const readOnly: ReadonlySet<string | undefined> = new Set(['EROFS', 'EACCES', 'EPERM']);

const openSessions = new Set<StoreSession>();
let listening = false;

function closeAll(): void {
  for (const session of openSessions) {
    try {
      session.close();
    } catch {
      // The process ends anyway; a later one removes what is left.
    }
  }
}

/** Removes temporary directories whose owner is gone; returns what was removed with its bytes. */
export function removeAbandoned(temporary: string): { readonly name: string; readonly bytes: number }[] {
  const removed: { name: string; bytes: number }[] = [];
  for (const name of namesIn(temporary)) {
    const owner = parseOwnedName(name);
    const path = join(temporary, name);
    if (owner === undefined || mayBeAlive(owner, path)) continue;
    try {
      removed.push({ name, bytes: removeTree(path) });
    } catch (error) {
      // Another process removes the same one, or it holds another user's files: not this caller's trouble.
      if (!['ENOTEMPTY', 'EEXIST', 'EACCES', 'EPERM', 'EROFS', 'EBUSY'].includes(errorCode(error) ?? '')) throw error;
    }
  }
  return removed;
}
