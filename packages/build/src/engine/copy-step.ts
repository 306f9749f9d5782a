import { realpathSync, statSync } from 'node:fs';
import { copySourceKey } from '../cache/keys.ts';
import type { CopyTask, SourceLocation } from '../copy/copy-task.ts';
import { TooLargeError } from '../copy/selection.ts';
import type { WrittenLayer } from '../copy/write-layer.ts';
import type { CopyOperation, FileSource, Transfer } from '../plan/operation.ts';
import type { CopyTicket } from '../workers/tasks.ts';
import { readIgnoreFile } from './dockerfile-source.ts';
import { type BuildSession, epochNs, nowNs } from './session.ts';

/** Bytes of a file index that some hundred files do not fill. */
const LARGE_INDEX = 1 << 17;

/** What may be copied on the main thread: less than starting a worker takes. */
const INLINE_BUDGET = { files: 200, bytes: 4 << 20 };

/** The cache's memory of what sources in other stages held. */
interface SourceRecord {
  readonly digest: string;
}

/**
 * A COPY on its way: first what it would copy is found and digested, which decides about the cache; the layer is only
 * written when it has to be.
 */
export class CopyStep {
  readonly #session: BuildSession;
  readonly #operation: CopyOperation;
  #prepared: Promise<{ readonly ticket: CopyTicket; readonly worker: number | undefined }> | undefined;
  /** What {@link digest} said. */
  #digest: string | undefined;

  constructor(session: BuildSession, operation: CopyOperation) {
    this.#session = session;
    this.#operation = operation;
  }

  /** Digest of everything the step would copy. Other stages are only executed when the cache does not know it. */
  async digest(useCache: boolean): Promise<string> {
    const key = await this.#sourceKey();
    const record = key === undefined || !useCache ? undefined : this.#session.store.cache.get(key);
    // Written by the `put` below, under a key of its own.
    if (record !== undefined) this.#digest = (record.value as unknown as SourceRecord).digest;
    else {
      const { ticket } = await this.#prepare();
      this.#digest = ticket.digest;
      if (key !== undefined) this.#remember(key, ticket.digest);
    }
    return this.#digest;
  }

  /** Writes the layer on top of these uncompressed layers. */
  async write(base: readonly string[]): Promise<WrittenLayer> {
    const { ticket, worker } = await this.#prepare();
    this.#prepared = undefined;
    const written = await (worker === undefined
      ? this.#session.inline.writeCopy(ticket.ticket, base)
      : this.#session.pool.call(worker, 'writeCopy', ticket.ticket, base));
    if (this.#digest === undefined || this.#digest === ticket.digest) return written;
    // The stage had to be executed again since, and gave something else.
    const key = await this.#sourceKey();
    if (key !== undefined) this.#remember(key, ticket.digest);
    return { ...written, isChanged: true };
  }

  #remember(key: string, digest: string): void {
    this.#session.store.cache.put(key, { digest } satisfies SourceRecord, { blobs: [] });
  }

  /** Lets go of what was prepared: the layer came from the cache. */
  async drop(): Promise<void> {
    const prepared = await this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) return;
    if (prepared.worker === undefined) this.#session.inline.dropCopy(prepared.ticket.ticket);
    else await this.#session.pool.call(prepared.worker, 'dropCopy', prepared.ticket.ticket);
  }

  /** Only sources whose identity is known without looking at files have one: stages and inline files. */
  async #sourceKey(): Promise<string | undefined> {
    const keys: string[] = [];
    for (const { from } of this.#operation.transfers) {
      if (from.kind === 'stage') keys.push(`stage:${await this.#session.stageKey(from.stage)}`);
      else if (from.kind === 'inline') keys.push(`inline:${JSON.stringify(from.files)}`);
      else return undefined;
    }
    return copySourceKey(this.#operation, keys);
  }

  /** By what was there last time: then the main thread need not find out first. */
  #isKnownToBeLarge(locations: readonly SourceLocation[]): boolean {
    return locations.some((location) => {
      if (location.kind !== 'directory') return false;
      const { path } = this.#session.store.file('stat-index', location.indexName);
      return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGE_INDEX;
    });
  }

  #prepare(): Promise<{ readonly ticket: CopyTicket; readonly worker: number | undefined }> {
    this.#prepared ??= this.#start();
    return this.#prepared;
  }

  async #start(): Promise<{ readonly ticket: CopyTicket; readonly worker: number | undefined }> {
    const { inline, pool, request } = this.#session;
    const locations = await Promise.all(this.#operation.transfers.map((transfer) => this.#location(transfer)));
    const task: CopyTask = { operation: this.#operation, locations, nowNs: nowNs(), epochNs: epochNs(request) };
    if (!this.#isKnownToBeLarge(locations)) {
      try {
        return { ticket: inline.prepareCopy(task, INLINE_BUDGET), worker: undefined };
      } catch (error) {
        if (!(error instanceof TooLargeError)) throw error;
      }
    }
    const worker = pool.pick();
    return { ticket: await pool.call(worker, 'prepareCopy', task), worker };
  }

  async #location(transfer: Transfer): Promise<SourceLocation> {
    const { from } = transfer;
    switch (from.kind) {
      case 'context':
        return this.#directory(this.#session.request.contextDir, this.#session.ignoreText, transfer);
      case 'named-directory':
        return this.#directory(from.path, readIgnoreFile(from.path), transfer);
      case 'inline':
        return { kind: 'inline', files: from.files };
      case 'stage': {
        const layers = await this.#session.stageLayers(from.stage);
        return { kind: 'layers', tars: await Promise.all(layers.map((layer) => layer.tar())) };
      }
      default:
        return from satisfies never;
    }
  }

  /** Every source path has a file index of its own: a small COPY must not read the index of a large one. */
  #directory(directory: string, ignore: string | undefined, transfer: Transfer): SourceLocation {
    const path = realpathSync(directory);
    return { kind: 'directory', path, ignore, indexName: `${path}\0${transfer.path}` };
  }
}

/** Copies a path of a source to the same place: what a bind mount shows. */
export function mirrorOperation(from: FileSource, path: string): CopyOperation {
  const transfer: Transfer = {
    from,
    path,
    wildcards: false,
    include: [],
    required: undefined,
    unpack: false,
    followLinks: true,
  };
  return {
    kind: 'copy',
    transfers: [transfer],
    dest: path,
    chown: undefined,
    chmod: undefined,
    exclude: [],
    link: true,
  };
}
