import { closeSync, openSync } from 'node:fs';
import { type Digest, type ImageStore, type OverlayNamespace, packDirectory, unpackLayer } from '@boxwright/oci';
import { type CopyTask, type PreparedCopy, prepareCopy, writeWorkdir } from '../copy/copy-task.ts';
import type { Budget } from '../copy/selection.ts';
import { CAPABILITY, type WrittenLayer, writeTarLayer } from '../copy/write-layer.ts';
import type { WorkdirOperation } from '../plan/operation.ts';
import { ImageSource } from '../source/image-source.ts';

/** A {@link PreparedCopy} that stays in the thread that prepared it. */
export interface CopyTicket {
  readonly ticket: number;
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
}

/** Heavy file work, synchronous inside; runs in worker threads, and on the main thread when it is known to be small. */
export class BuildTasks {
  readonly #store: ImageStore;
  readonly #copies = new Map<number, PreparedCopy>();
  #nextTicket = 1;

  constructor(store: ImageStore) {
    this.#store = store;
  }

  /** Finds and digests the sources of a COPY; {@link writeCopy} or {@link dropCopy} has to follow. */
  prepareCopy(task: CopyTask, budget?: Budget): CopyTicket {
    const prepared = prepareCopy(this.#store, task, budget);
    const ticket = this.#nextTicket++;
    this.#copies.set(ticket, prepared);
    return { ticket, digest: prepared.digest, files: prepared.files, bytes: prepared.bytes };
  }

  async writeCopy(ticket: number, base: readonly string[]): Promise<WrittenLayer> {
    const prepared = this.#copies.get(ticket);
    if (prepared === undefined) throw new RangeError(`no prepared copy ${ticket}`);
    this.#copies.delete(ticket);
    return prepared.write(base);
  }

  dropCopy(ticket: number): void {
    this.#copies.delete(ticket);
  }

  writeWorkdir(operation: WorkdirOperation, base: readonly string[], mtimeNs: bigint): WrittenLayer {
    return writeWorkdir(this.#store, operation, base, mtimeNs);
  }

  /** Packs the upper directory of a RUN as a layer. */
  packUpper(directory: string, overlay: OverlayNamespace, clampMtimeNs: bigint | undefined): WrittenLayer {
    return writeTarLayer(this.#store, (tar) => {
      packDirectory(directory, tar, { overlay, clampMtimeNs, keepXattr: (name) => name === CAPABILITY });
    });
  }

  /**
   * Unpacks a layer into its diff directory and returns where it is.
   *
   * @param below tars of the layers below, for directories that this one implies without an entry of their own
   */
  unpackSnapshot(tarPath: string, diffId: Digest, below: readonly string[], overlay: OverlayNamespace): string {
    const known = this.#store.snapshots.get(diffId);
    if (known !== undefined) return known;
    const lower = new ImageSource(below);
    const snapshot = this.#store.snapshots.begin();
    try {
      const descriptor = openSync(tarPath, 'r');
      try {
        unpackLayer(descriptor, snapshot.dir, {
          whiteouts: 'overlay',
          overlayXattr: overlay,
          devices: overlay === 'trusted' ? 'create' : 'skip',
          impliedDirectory: (path) => lower.lookup(path),
        });
      } finally {
        closeSync(descriptor);
      }
      return snapshot.commit(diffId);
    } catch (error) {
      snapshot.abort();
      throw error;
    }
  }
}

/** Names of the tasks a worker can be asked for. */
export type TaskName = 'prepareCopy' | 'writeCopy' | 'dropCopy' | 'writeWorkdir' | 'packUpper' | 'unpackSnapshot';
