import { Worker } from 'node:worker_threads';
import { fromFailure } from '../../workers/messages.ts';
import type { SandboxResult, SandboxSpec } from '../spec.ts';
import type { SandboxReply, SandboxRequest } from './messages.ts';

/** One run as the main thread sees it. */
interface Run {
  readonly onOutput: SandboxSpec['onOutput'];
  resolve(result: SandboxResult): void;
  reject(error: Error): void;
}

let current: SandboxClient | undefined;

/** The sandbox thread of this process, started when first asked for: that takes some 40 ms, beside whatever else is done. */
export function sandboxClient(): SandboxClient {
  current ??= new SandboxClient(() => {
    current = undefined;
  });
  return current;
}

/** The main thread's side of the sandbox thread. The thread does not keep the process alive while nothing runs. */
export class SandboxClient {
  readonly #worker: Worker;
  readonly #runs = new Map<number, Run>();
  #lastId = 0;

  constructor(onExit: () => void) {
    const name = import.meta.url.endsWith('.ts') ? './sandbox-thread.ts' : './sandbox-thread.js';
    // Descriptors are opened by system calls that Node does not see, and closed by those that it does.
    this.#worker = new Worker(new URL(name, import.meta.url), { trackUnmanagedFds: false });
    this.#worker.on('message', (reply: SandboxReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => {
      onExit();
      this.#fail(new Error(`the sandbox thread ended with code ${code}`));
    });
    this.#worker.unref();
  }

  /** Runs a command. Rejects with the signal's reason when that is aborted, after everything has been killed. */
  async run({ onOutput, signal, ...spec }: SandboxSpec, runtime: string | undefined): Promise<SandboxResult> {
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const kill = (): void => this.#send({ kind: 'kill', id });
    signal?.addEventListener('abort', kill, { once: true });
    this.#worker.ref();
    try {
      const result = await new Promise<SandboxResult>((resolve, reject) => {
        this.#runs.set(id, { onOutput, resolve, reject });
        this.#send({ kind: 'run', id, spec, runtime });
      });
      signal?.throwIfAborted();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', kill);
      this.#runs.delete(id);
      if (this.#runs.size === 0) this.#worker.unref();
    }
  }

  #send(request: SandboxRequest): void {
    this.#worker.postMessage(request);
  }

  #receive(reply: SandboxReply): void {
    const run = this.#runs.get(reply.id);
    if (reply.kind === 'output') {
      this.#send({ kind: 'taken', id: reply.id, bytes: reply.chunk.length });
      run?.onOutput?.(reply.stream, reply.chunk);
    } else if (reply.kind === 'ended') run?.resolve(reply.result);
    else run?.reject(fromFailure(reply.failure));
  }

  #fail(error: Error): void {
    for (const run of this.#runs.values()) run.reject(error);
  }
}
