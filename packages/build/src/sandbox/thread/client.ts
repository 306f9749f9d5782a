import { Worker } from 'node:worker_threads';
import { fromFailure } from '../../workers/messages.ts';
import type { SandboxResult, SandboxSpec } from '../spec.ts';
import type { SandboxReply, SandboxRequest } from './messages.ts';
import { SandboxService } from './sandbox-service.ts';

/** One run as the main thread sees it. */
interface Run {
  readonly onOutput: SandboxSpec['onOutput'];
  resolve(result: SandboxResult): void;
  reject(error: Error): void;
}

/** Where the service is and how to reach it. */
interface Connection {
  send(request: SandboxRequest): void;
  /** Whether the process has to stay for an answer. */
  hold(isNeeded: boolean): void;
}

let current: SandboxClient | undefined;
let isInThisThread = false;

/**
 * Lets commands be started from the calling thread, the main one, in place of a thread made for it: the first command is
 * ready some 60 ms earlier. The thread moves to a mount namespace of its own for good, so this is for programs
 * that do nothing else with their process, such as the command line.
 */
export function useThisThreadForSandboxes(): void {
  isInThisThread = true;
}

/** The sandbox service of this process, started when first asked for. */
export function sandboxClient(): SandboxClient {
  current ??= new SandboxClient(isInThisThread, () => {
    current = undefined;
  });
  return current;
}

/** The asking side of the sandbox service. It does not keep the process alive while nothing runs. */
export class SandboxClient {
  readonly #connection: Connection;
  readonly #runs = new Map<number, Run>();
  #lastId = 0;

  constructor(inThisThread: boolean, onExit: () => void) {
    this.#connection = inThisThread ? this.#connectHere() : this.#connectThread(onExit);
  }

  #connectHere(): Connection {
    const service = new SandboxService((reply) => this.#receive(reply));
    service.warmUp();
    return { send: (request) => service.handle(request), hold: () => undefined };
  }

  #connectThread(onExit: () => void): Connection {
    const name = import.meta.url.endsWith('.ts') ? './sandbox-thread.ts' : './sandbox-thread.js';
    // Descriptors are opened by system calls that Node does not see, and closed by those that it does.
    const worker = new Worker(new URL(name, import.meta.url), { trackUnmanagedFds: false });
    worker.on('message', (reply: SandboxReply) => this.#receive(reply));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => {
      onExit();
      this.#fail(new Error(`the sandbox thread ended with code ${code}`));
    });
    worker.unref();
    return {
      send: (request) => worker.postMessage(request),
      hold: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    };
  }

  /** Runs a command. Rejects with the signal's reason when that is aborted, after everything has been killed. */
  async run({ onOutput, onStart, signal, ...spec }: SandboxSpec, runtime: string | undefined): Promise<SandboxResult> {
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const kill = (): void => this.#send({ kind: 'kill', id });
    signal?.addEventListener('abort', kill, { once: true });
    this.#connection.hold(true);
    try {
      const result = await new Promise<SandboxResult>((resolve, reject) => {
        this.#runs.set(id, { onOutput, resolve, reject });
        this.#send({ kind: 'run', id, spec, runtime });
        onStart?.({ send: (name) => this.#send({ kind: 'signal', id, signal: name }) });
      });
      signal?.throwIfAborted();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', kill);
      this.#runs.delete(id);
      if (this.#runs.size === 0) this.#connection.hold(false);
    }
  }

  #send(request: SandboxRequest): void {
    this.#connection.send(request);
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
