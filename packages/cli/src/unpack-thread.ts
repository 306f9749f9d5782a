import { closeSync, openSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { unpackLayer } from '@boxwright/oci';

/** Layers to unpack on top of each other, as one plain file system. */
export interface UnpackTask {
  /** Uncompressed tars, base first. */
  readonly tars: readonly string[];
  readonly target: string;
  /** `ignore` where this process may not give files away. */
  readonly owners: 'keep' | 'ignore';
}

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
  for (const tar of task.tars) {
    const source = openSync(tar, 'r');
    try {
      const result = unpackLayer(source, task.target, { whiteouts: 'apply', owners: task.owners });
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

if (!isMainThread && workerData?.marker === marker) parentPort?.postMessage(unpack(workerData.task));
