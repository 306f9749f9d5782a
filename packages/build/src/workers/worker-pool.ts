import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
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

  constructor(worker: Worker) {
    this.worker = worker;
    worker.on('message', (reply: TaskReply) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if (this.waiting.size === 0) worker.unref();
      if ('failure' in reply) waiting?.reject(fromFailure(reply.failure));
      else waiting?.resolve(reply.result);
    });
    worker.on('error', (error) => this.#failAll(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => this.#failAll(new Error(`worker thread ended with code ${code}`)));
    worker.unref();
  }

  #failAll(error: Error): void {
    for (const waiting of this.waiting.values()) waiting.reject(error);
    this.waiting.clear();
  }
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
    const idle = this.#workers.findIndex(({ waiting }) => waiting.size === 0);
    if (idle !== -1) return idle;
    if (this.#workers.length < this.#size) {
      this.#workers.push(new PoolWorker(this.#start()));
      return this.#workers.length - 1;
    }
    const loads = this.#workers.map(({ waiting }) => waiting.size);
    return loads.indexOf(Math.min(...loads));
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
    const id = this.#nextId++;
    target.worker.ref();
    return new Promise<TaskResult<Name>>((resolve, reject) => {
      // The worker answers with the result of the task that was named.
      target.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      target.worker.postMessage({ id, name, args } satisfies TaskRequest);
    });
  }

  /** Ends the threads; what is under way in them is waited for. */
  async close(): Promise<void> {
    await Promise.all(
      this.#workers.map(async ({ worker }) => {
        worker.ref();
        worker.postMessage('close');
        await once(worker, 'exit');
      }),
    );
    this.#workers.length = 0;
  }

  #start(): Worker {
    const name = import.meta.url.endsWith('.ts') ? './build-worker.ts' : './build-worker.js';
    return new Worker(new URL(name, import.meta.url), {
      workerData: { storeRoot: this.#storeRoot },
      resourceLimits: HEAP,
    });
  }
}
