import { closeSync, lstatSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '../names/digest.ts';
import { bootId } from './boot.ts';
import { errorCode, namesIn, readSmallFile, replaceFile, unlessMissing, writeFully } from './files.ts';
import { removeTree } from './remove-tree.ts';
import type { StoreSession } from './session.ts';

/** A layer's directory while it is being filled. */
export interface SnapshotWriter {
  /** Empty directory to unpack into; becomes the snapshot's root. */
  readonly dir: string;
  /**
   * Makes it the snapshot of a diffID and returns where it is from now on (`dir` is gone). When another process was
   * faster its snapshot is kept and this one dropped. What is in `dir` must be the layer of this diffID.
   */
  commit(diffId: Digest): string;
  /** Removes what was unpacked so far. */
  abort(): void;
}

/**
 * Layers unpacked in overlayfs form (whiteouts as devices, opaque directories by attribute), one directory per diffID,
 * shared by all images and never written to again.
 *
 * Thousands of files are not fsynced one by one, so after a power cut a directory may hold empty or torn files under
 * right names (this has happened to others: moby#49784, podman#8005). A snapshot therefore says in which boot it was
 * made, and is worth nothing in another one, unless {@link SnapshotDirectory.persist} has synced the file system
 * since. It can always be unpacked again.
 */
export class SnapshotDirectory {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Root directory of a layer's files, or undefined when it has to be unpacked. It stays while this store is open. */
  get(diffId: Digest): string | undefined {
    const home = this.#homeOf(diffId);
    this.#session.use('snapshot', diffId);
    return isUsable(home) ? join(home, 'fs') : undefined;
  }

  /** A new, empty directory on the store's file system. */
  begin(): SnapshotWriter {
    const home = this.#session.temporaryPath('snapshot');
    const dir = join(home, 'fs');
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    return {
      dir,
      commit: (diffId) => this.#commit(home, diffId),
      abort: () => void removeTree(home),
    };
  }

  /**
   * Lets this boot's snapshots outlive it: `sync` is called once with a descriptor on the store's file system and must
   * be syncfs(2), which may take as long as the disk needs. Returns how many became durable.
   */
  persist(sync: (fd: number) => void): number {
    const root = this.#session.layout.snapshots;
    const fresh = namesIn(root).filter((name) => {
      const meta = readMeta(join(root, name));
      return meta !== undefined && !meta.durable && meta.boot === (bootId() ?? '');
    });
    if (fresh.length === 0) return 0;
    const fd = openSync(root, 'r');
    try {
      sync(fd);
    } finally {
      closeSync(fd);
    }
    for (const name of fresh) {
      const temporary = this.#session.temporaryPath('meta');
      try {
        replaceFile(join(root, name, 'meta'), metaText(true), { temporary, durable: true });
      } catch (error) {
        // Collected in the meantime.
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    return fresh.length;
  }

  #homeOf(diffId: Digest): string {
    parseDigest(diffId);
    return join(this.#session.layout.snapshots, snapshotName(diffId));
  }

  #commit(temporaryHome: string, diffId: Digest): string {
    const home = this.#homeOf(diffId);
    this.#session.use('snapshot', diffId);
    const fd = openSync(join(temporaryHome, 'meta'), 'wx', 0o600);
    try {
      writeFully(fd, Buffer.from(metaText(false)));
    } finally {
      closeSync(fd);
    }
    for (;;) {
      try {
        renameSync(temporaryHome, home);
        return join(home, 'fs');
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
      }
      if (isUsable(home)) {
        removeTree(temporaryHome);
        return join(home, 'fs');
      }
      // Left from another boot: out of the way in one step, so that two processes doing so do not meet half of it.
      const stale = this.#session.temporaryPath('stale-snapshot');
      unlessMissing(() => renameSync(home, stale));
      removeTree(stale);
    }
  }
}

/** Directory name of a diffID's snapshot. Short, since overlayfs takes a page of mount options only. */
export function snapshotName(diffId: Digest): string {
  return digestAlgorithm(diffId) === 'sha256' ? digestHex(diffId) : `${digestAlgorithm(diffId)}-${digestHex(diffId)}`;
}

/** What `meta` beside a snapshot's files says. */
interface SnapshotMeta {
  readonly boot: string;
  readonly durable: boolean;
}

/** True when the snapshot is whole for certain. */
export function isUsable(home: string): boolean {
  const meta = readMeta(home);
  if (meta === undefined) return false;
  if (!meta.durable && (meta.boot === '' || meta.boot !== bootId())) return false;
  return unlessMissing(() => lstatSync(join(home, 'fs')))?.isDirectory() ?? false;
}

function metaText(durable: boolean): string {
  return JSON.stringify({ boot: bootId() ?? '', durable } satisfies SnapshotMeta);
}

function readMeta(home: string): SnapshotMeta | undefined {
  try {
    const bytes = readSmallFile(join(home, 'meta'), 4096);
    // Our own record; the fields are checked below.
    const { boot, durable } = JSON.parse(bytes?.toString() ?? 'null') as Partial<SnapshotMeta>;
    return typeof boot === 'string' && typeof durable === 'boolean' ? { boot, durable } : undefined;
  } catch {
    return undefined;
  }
}
