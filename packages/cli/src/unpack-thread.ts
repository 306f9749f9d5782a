import { closeSync, openSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { ImageTree, type OverlayNamespace, scanLayer, unpackLayer } from '@boxwright/oci';

/** What to unpack, and in which form. */
export type UnpackTask =
  /** Layers on top of each other, as one plain file system. */
  | {
      readonly form: 'flat';
      /** Uncompressed tars, base first. */
      readonly tars: readonly string[];
      readonly target: string;
      /** `ignore` where this process may not give files away. */
      readonly owners: 'keep' | 'ignore';
    }
  /** One layer as a lower directory of an overlay mount. */
  | {
      readonly form: 'overlay';
      readonly tar: string;
      readonly target: string;
      readonly overlay: OverlayNamespace;
      /** Tars of the layers below, for directories that the layer implies without an entry for them. */
      readonly below: readonly string[];
    };

/** What was unpacked, all layers together. */
export interface UnpackSummary {
  readonly entries: number;
  /** Sum of the sizes of the files written. */
  readonly bytes: number;
  /** Device nodes left out. */
  readonly skippedDevices: number;
  /** Extended attributes that could not be set. */
  readonly skippedXattrs: number;
}

/** Says which thread this file is loaded in: the bundle may put other threads' code beside it. */
const marker = 'boxwright-unpack';

/**
 * Unpacks in a thread of its own: the work is synchronous, and the main thread has to see signals meanwhile. An abort
 * stops it between two system calls. Rejects with the signal's reason or what `unpackLayer` throws.
 */
export function unpackInThread(task: UnpackTask, signal: AbortSignal): Promise<UnpackSummary> {
  signal.throwIfAborted();
  const worker = new Worker(new URL(import.meta.url), { workerData: { marker, task } });
  const { promise, resolve, reject } = Promise.withResolvers<UnpackSummary>();
  const stop = (): void => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', (code) => reject(signal.reason ?? new Error(`the unpacking thread ended with code ${code}`)));
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

function unpack(task: UnpackTask): UnpackSummary {
  const sum = { entries: 0, bytes: 0, skippedDevices: 0, skippedXattrs: 0 };
  for (const tar of task.form === 'flat' ? task.tars : [task.tar]) {
    const source = openSync(tar, 'r');
    try {
      const result = unpackLayer(source, task.target, task.form === 'flat' ? flatOptions(task) : overlayOptions(task));
      sum.entries += result.entries;
      sum.bytes += result.bytes;
      sum.skippedDevices += result.skippedDevices;
      sum.skippedXattrs += result.skippedXattrs;
    } finally {
      closeSync(source);
    }
  }
  return sum;
}

type UnpackOptions = Parameters<typeof unpackLayer>[2];

function flatOptions({ owners }: Extract<UnpackTask, { form: 'flat' }>): UnpackOptions {
  return { whiteouts: 'apply', owners };
}

/** The same as the engine's, whose snapshots these are too. */
function overlayOptions({ overlay, below }: Extract<UnpackTask, { form: 'overlay' }>): UnpackOptions {
  const lower = new ImageTree(below.map((tar) => () => scanLayer(tar)));
  return {
    whiteouts: 'overlay',
    overlayXattr: overlay,
    devices: overlay === 'trusted' ? 'create' : 'skip',
    impliedDirectory: (path) => lower.lookup(path)?.entry,
  };
}

if (!isMainThread && workerData?.marker === marker) parentPort?.postMessage(unpack(workerData.task));
