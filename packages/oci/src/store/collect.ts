import { lstatSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { type Digest, isDigest } from '../names/digest.ts';
import type { BuildCache, CacheRecord } from './build-cache.ts';
import type { CacheMounts } from './cache-mounts.ts';
import { beginCollection, type CollectionMark } from './collection-mark.ts';
import { fsyncDirectory, namesIn, removeFile, unlessMissing } from './files.ts';
import { finishedLeases, leasedThings, removeLeases } from './leases.ts';
import type { Reachable } from './reachable.ts';
import { removeTree, treeSize } from './remove-tree.ts';
import { type LeaseKind, removeAbandoned, type StoreSession } from './session.ts';
import { snapshotName } from './snapshots.ts';

/** What to remove beside content that nothing names. */
export interface GcOptions {
  /**
   * Build cache: `keep` all of it (default), remove what is `unused` by tagged images, or remove `all`, cache mounts
   * and unpacked layers included.
   */
  readonly cache?: 'keep' | 'unused' | 'all';
  /** Cache records and cache mounts used within this time are kept. */
  readonly olderThanMs?: number;
  /** Only say what would go. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** What a removed thing was. */
export type RemovedKind = 'blob' | 'layer' | 'snapshot' | 'cache-record' | 'cache-mount' | 'temporary' | 'corrupt';

/** One thing that went. */
export interface RemovedItem {
  readonly kind: RemovedKind;
  /** Digest, diffID, cache key or id, file name. */
  readonly name: string;
  /** Bytes of disk. */
  readonly bytes: number;
}

/** What a collection did. */
export interface GcReport {
  readonly removed: readonly RemovedItem[];
  readonly bytesFreed: number;
  /** What kept the collector from seeing everything, in words: damaged images, directories it may not remove. */
  readonly problems: readonly string[];
}

/** The parts of a store that are collected. */
export interface Collectable {
  readonly session: StoreSession;
  readonly cache: BuildCache;
  readonly cacheMounts: CacheMounts;
  /** What the tags lead to. */
  reachable(): Reachable;
}

/** Something that nothing names, and the lease line that would keep it. */
interface Candidate {
  readonly kind: LeaseKind;
  readonly name: Digest;
  readonly path: string;
}

/** Taken away in one sweep, so that sessions wait for milliseconds only. */
const batchSize = 256;

/**
 * Removes what neither a tag, nor a kept cache record, nor a running session names.
 *
 * Why nothing in use is lost: a session first writes what it wants into its lease, then waits for a running sweep to
 * end, and only then looks whether the thing is there. A sweep first raises its mark, then reads the leases, and only
 * takes away what none of them has. Whoever is second sees the other. A session that is closed while a collection
 * runs leaves its lease behind, and leases of processes that die in the meantime are obeyed, because the tags that
 * they wrote may be newer than the collector's list; only leases that were over before it began are ignored.
 */
export async function collect(store: Collectable, options: GcOptions = {}): Promise<GcReport> {
  const { layout } = store.session;
  const mark = await beginCollection(layout.collections, options.signal);
  try {
    const over = finishedLeases(layout.leases);
    // What untagging removed must not come back by a power cut when its content is gone.
    fsyncDirectory(layout.tags);
    // Made now, not inside a sweep: it cleans up after others.
    store.session.temporaryDirectory();
    const collector = new Collector(store, options, mark, over);
    await collector.run();
    if (options.dryRun !== true) removeLeases(layout.leases, over);
    return collector.report();
  } finally {
    mark.end();
  }
}

class Collector {
  readonly #store: Collectable;
  readonly #options: GcOptions;
  readonly #mark: CollectionMark;
  readonly #over: ReadonlySet<string>;
  readonly #removed: RemovedItem[] = [];
  readonly #problems: string[] = [];

  constructor(store: Collectable, options: GcOptions, mark: CollectionMark, over: ReadonlySet<string>) {
    this.#store = store;
    this.#options = options;
    this.#mark = mark;
    this.#over = over;
  }

  async run(): Promise<void> {
    // Also with nothing to do, so that a loop over collections does not starve the event loop.
    await breathe();
    const reachable = this.#store.reachable();
    this.#problems.push(...reachable.problems);
    const blobs = new Set<string>(reachable.blobs);
    const unpacked = new Set<string>(this.#options.cache === 'all' ? [] : reachable.diffIds);
    const isReachable = (record: CacheRecord): boolean => record.blobs.every((digest) => reachable.blobs.has(digest));
    for (const record of this.#store.cache.list()) {
      if (this.#isUnwanted(record, isReachable(record))) {
        this.#removeRecord(record);
        continue;
      }
      for (const digest of record.blobs) {
        blobs.add(digest);
        // A built layer is stored uncompressed: its digest is its diffID.
        unpacked.add(digest);
      }
    }
    await this.#sweep([
      ...contentIn(this.#store.session.layout.blobs, 'blob', blobs),
      ...contentIn(this.#store.session.layout.layers, 'layer', unpacked),
      ...snapshotsIn(this.#store.session.layout.snapshots, unpacked),
    ]);
    if (this.#options.cache === 'all') this.#removeCacheMounts();
    this.#removeLeftovers();
  }

  report(): GcReport {
    const bytesFreed = this.#removed.reduce((sum, item) => sum + item.bytes, 0);
    return { removed: this.#removed, bytesFreed, problems: this.#problems };
  }

  #isUnwanted(record: CacheRecord, isReachable: boolean): boolean {
    const mode = this.#options.cache ?? 'keep';
    if (mode === 'keep' || (mode === 'unused' && isReachable)) return false;
    return this.#isOld(record.usedAt);
  }

  #isOld(usedAt: number): boolean {
    return this.#options.olderThanMs === undefined || Date.now() - usedAt >= this.#options.olderThanMs;
  }

  #removeRecord(record: CacheRecord & { readonly path: string }): void {
    const bytes = unlessMissing(() => lstatSync(record.path))?.size ?? 0;
    if (this.#options.dryRun === true || removeFile(record.path)) {
      this.#removed.push({ kind: 'cache-record', name: record.key, bytes });
    }
  }

  async #sweep(candidates: readonly Candidate[]): Promise<void> {
    const { session } = this.#store;
    for (let start = 0; start < candidates.length; start += batchSize) {
      this.#options.signal?.throwIfAborted();
      const batch = candidates.slice(start, start + batchSize);
      if (this.#options.dryRun === true) {
        const leased = leasedThings(session.layout.leases, this.#over);
        for (const candidate of batch) {
          if (leased.has(leaseLine(candidate))) continue;
          this.#removed.push({ kind: candidate.kind, name: candidate.name, bytes: treeSize(candidate.path) });
        }
      } else {
        const trash = this.#mark.sweep(() => this.#takeAway(batch));
        for (const { candidate, path } of trash) this.#discard(candidate.kind, candidate.name, path);
      }
      await breathe();
    }
  }

  /** Moves the candidates of a batch that no session uses to the trash: the only stretch that others wait for. */
  #takeAway(batch: readonly Candidate[]): { readonly candidate: Candidate; readonly path: string }[] {
    const { session } = this.#store;
    const leased = leasedThings(session.layout.leases, this.#over);
    const taken: { candidate: Candidate; path: string }[] = [];
    for (const candidate of batch) {
      if (leased.has(leaseLine(candidate))) continue;
      const path = session.temporaryPath('trash');
      const moved = unlessMissing(() => {
        renameSync(candidate.path, path);
        return true;
      });
      if (moved === true) taken.push({ candidate, path });
    }
    return taken;
  }

  #discard(kind: RemovedKind, name: string, path: string): void {
    try {
      this.#removed.push({ kind, name, bytes: removeTree(path) });
    } catch (error) {
      this.#problems.push(`cannot remove ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #removeCacheMounts(): void {
    const taken: { readonly name: string; readonly path: string }[] = [];
    try {
      this.#store.cacheMounts.takeIdle(
        (mount) => this.#isOld(mount.usedAt),
        (mount) => {
          if (this.#options.dryRun === true) {
            this.#removed.push({ kind: 'cache-mount', name: mount.id, bytes: treeSize(mount.path) });
            return undefined;
          }
          const path = this.#store.session.temporaryPath('trash');
          taken.push({ name: mount.id, path });
          return path;
        },
      );
    } catch (error) {
      this.#problems.push(`cache mounts were left: ${error instanceof Error ? error.message : String(error)}`);
    }
    for (const { name, path } of taken) this.#discard('cache-mount', name, path);
  }

  #removeLeftovers(): void {
    const { layout } = this.#store.session;
    if (this.#options.dryRun === true) return;
    for (const { name, bytes } of removeAbandoned(layout.temporary)) {
      this.#removed.push({ kind: 'temporary', name, bytes });
    }
    for (const name of namesIn(layout.corrupt)) this.#discard('corrupt', name, join(layout.corrupt, name));
  }
}

function leaseLine({ kind, name }: Candidate): string {
  return `${kind} ${name}`;
}

/** Files `<algorithm>/<hex>` that are not to be kept. Foreign names are left alone. */
function* contentIn(directory: string, kind: LeaseKind, kept: ReadonlySet<string>): Generator<Candidate> {
  for (const algorithm of namesIn(directory)) {
    for (const hex of namesIn(join(directory, algorithm))) {
      const name = `${algorithm}:${hex}`;
      if (isDigest(name) && !kept.has(name)) yield { kind, name, path: join(directory, algorithm, hex) };
    }
  }
}

function* snapshotsIn(directory: string, kept: ReadonlySet<string>): Generator<Candidate> {
  for (const file of namesIn(directory)) {
    const name = /^[0-9a-f]{64}$/.test(file) ? `sha256:${file}` : file.replace('-', ':');
    if (isDigest(name) && snapshotName(name) === file && !kept.has(name)) {
      yield { kind: 'snapshot', name, path: join(directory, file) };
    }
  }
}
