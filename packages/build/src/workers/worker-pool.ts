import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BoxwrightError } from '@boxwright/errors';
import { fromFailure, type TaskReply, type TaskRequest } from './messages.ts';
import type { BuildTasks, TaskName } from './tasks.ts';

/**
 * Heap of one worker: enough for the metadata of a million files, small enough to notice a leak. The young generation is
 * larger than Node's default: listing 50,000 files spends a fifth of its time collecting with that.
 */
const HEAP = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 96 };

type TaskArguments<Name extends TaskName> = Parameters<BuildTasks[Name]>;
type TaskResult<Name extends TaskName> = Awaited<ReturnType<BuildTasks[Name]>>;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** One thread and what it owes. */
class PoolWorker {
  readonly worker: Worker;
  readonly waiting = new Map<number, Waiting>();
  /** Fulfilled when the thread has ended, however. */
  readonly ended: Promise<void>;
  /** Why the thread takes no more tasks. */
  #failure: Error | undefined;
  #isClosing = false;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.on('message', (reply: TaskReply) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if (this.waiting.size === 0 && !this.#isClosing) worker.unref();
      if ('failure' in reply) waiting?.reject(fromFailure(reply.failure));
      else waiting?.resolve(reply.result);
    });
    worker.on('error', (error) => this.#fail(workerFailure(error)));
    this.ended = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.#fail(new Error(`worker thread ended with code ${code}`));
        resolve();
      });
    });
    worker.unref();
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Ends the thread after what it has been asked for; the process stays for it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.worker.ref();
    this.worker.postMessage('close');
    await this.ended;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.waiting.values()) waiting.reject(this.#failure);
    this.waiting.clear();
  }
}

/** What ended a thread, with what to do about it where that is known. */
function workerFailure(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (!('code' in error) || error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
  return new BoxwrightError('OUT_OF_MEMORY', 'a worker thread needed more memory than it may have', {
    hint: 'copy fewer files in one instruction: leave out what the image does not need with .dockerignore',
    cause: error,
  });
}

/**
 * Worker threads for file work, at most one per processor, started when first needed. Tasks of one worker run one after
 * the other; a result that lives in a worker (a copy ticket) is used through the same worker.
 */
export class WorkerPool {
  readonly #storeRoot: string;
  readonly #size: number;
  readonly #workers: PoolWorker[] = [];
  #nextId = 1;

  constructor(storeRoot: string, size: number = Math.max(1, Math.min(availableParallelism(), 8))) {
    this.#storeRoot = storeRoot;
    this.#size = size;
  }

  /** Index of the worker with the least to do, started if another one may be. */
  pick(): number {
    // Indexes are in use: a thread that failed keeps its place, where it refuses what is asked of it.
    const loads = this.#workers.map(({ failure, waiting }) => (failure === undefined ? waiting.size : Infinity));
    const least = Math.min(...loads);
    const alive = loads.filter((load) => load !== Infinity).length;
    if (least === 0 || alive >= this.#size) return loads.indexOf(least);
    return this.#workers.push(new PoolWorker(this.#start())) - 1;
  }

  /** Starts a first worker ahead of the work that is going to come: a thread takes a tenth of a second to be ready. */
  warm(): void {
    if (this.#workers.length === 0) this.pick();
  }

  /** Runs a task in a worker. @throws whatever the task throws there */
  async call<Name extends TaskName>(
    index: number,
    name: Name,
    ...args: TaskArguments<Name>
  ): Promise<TaskResult<Name>> {
    const target = this.#workers[index];
    if (target === undefined) throw new RangeError(`no worker ${index}`);
    if (target.failure !== undefined) throw target.failure;
    const id = this.#nextId++;
    target.worker.ref();
    return new Promise<TaskResult<Name>>((resolve, reject) => {
      // The worker answers with the result of the task that was named.
      target.waiting.set(id, { resolve: (value) => resolve(value as TaskResult<Name>), reject });
      target.worker.postMessage({ id, name, args } satisfies TaskRequest);
    });
  }

  /** Ends the threads; what is under way in them is waited for. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.close()));
  }

  #start(): Worker {
    const name = import.meta.url.endsWith('.ts') ? './build-worker.ts' : './build-worker.js';
    return new Worker(new URL(name, import.meta.url), {
      workerData: { storeRoot: this.#storeRoot },
      resourceLimits: HEAP,
    });
  }
}
