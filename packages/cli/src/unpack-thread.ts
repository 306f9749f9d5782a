import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
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

// `workerData` is untyped; unpackInThread gives the task.
parentPort?.postMessage(unpack(workerData as UnpackTask));
