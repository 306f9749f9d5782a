import { Worker } from 'node:worker_threads';
import type { UnpackSummary, UnpackTask } from './unpack-thread.ts';

/**
 * Unpacks in a thread of its own: the work is synchronous, and the main thread has to see signals meanwhile. An abort
 * stops it between two system calls. Rejects with the signal's reason or what `unpackLayer` throws.
 */
export function unpackInThread(task: UnpackTask, signal: AbortSignal): Promise<UnpackSummary> {
  signal.throwIfAborted();
  const name = import.meta.url.endsWith('.ts') ? './unpack-thread.ts' : './unpack-thread.js';
  const worker = new Worker(new URL(name, import.meta.url), { workerData: task });
  const { promise, resolve, reject } = Promise.withResolvers<UnpackSummary>();
  const stop = (): void => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', (code) => reject(signal.reason ?? new Error(`the unpacking thread ended with code ${code}`)));
  return promise.finally(() => signal.removeEventListener('abort', stop));
}
