import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BlobReceipt } from '../upload.ts';
import type { UploadChildTask } from './upload-child.ts';

/** A process that uploads. */
export interface UploadChild {
  readonly process: ChildProcess;
  /** Its receipt; undefined when it was killed. */
  readonly receipt: Promise<BlobReceipt | undefined>;
  /** Ends it in the middle of whatever it does, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Uploads in a process of its own. */
export function startUploadChild(task: UploadChildTask): UploadChild {
  const script = fileURLToPath(new URL('upload-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const ended = once(child, 'close');
  return {
    process: child,
    receipt: ended.then(() => {
      if (child.signalCode === 'SIGKILL') return undefined;
      if (child.exitCode !== 0) throw new Error(`the upload failed: ${errors}`);
      // What upload-child.ts prints.
      return JSON.parse(output) as BlobReceipt;
    }),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
