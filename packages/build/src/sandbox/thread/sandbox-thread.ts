import { parentPort } from 'node:worker_threads';
import { toFailure } from '../../workers/messages.ts';
import { hostFacts } from '../host-facts.ts';
import { type StartedCommand, startNative } from '../native.ts';
import { type PreparedRoot, prepareRoot } from '../root/prepare.ts';
import { Scratch } from '../root/scratch.ts';
import type { SandboxReply, SandboxRequest } from './messages.ts';

/**
 * The sandbox thread. It lives in a mount namespace of its own, so that every mount is private and goes with the process,
 * however that ends, and the rest of the program never notices. Commands are started from here because a child
 * process is in the namespaces of the thread that started it. Only synchronous `fs` calls see the mounts.
 */
class SandboxThread {
  readonly #post: (reply: SandboxReply) => void;
  readonly #running = new Map<number, StartedCommand>();
  #scratch: Scratch | undefined;

  constructor(post: (reply: SandboxReply) => void) {
    this.#post = post;
  }

  handle(request: SandboxRequest): void {
    switch (request.kind) {
      case 'run':
        void this.#run(request);
        return;
      case 'kill':
        this.#running.get(request.id)?.kill();
        return;
      case 'taken':
        for (const reader of this.#running.get(request.id)?.output ?? []) reader.taken(request.bytes);
        return;
    }
  }

  async #run({ id, spec }: SandboxRequest & { kind: 'run' }): Promise<void> {
    let root: PreparedRoot | undefined;
    let reply: SandboxReply;
    try {
      this.#scratch ??= Scratch.open();
      const scratch = this.#scratch;
      root = prepareRoot(scratch, spec, hostFacts().userNamespace);
      const onOutput = (stream: 1 | 2, chunk: Buffer): void => this.#post({ kind: 'output', id, stream, chunk });
      const started = startNative({ scratch, root, spec, onOutput });
      this.#running.set(id, started);
      reply = { kind: 'ended', id, result: await started.result };
    } catch (error) {
      reply = { kind: 'failed', id, failure: toFailure(error) };
    }
    this.#running.delete(id);
    try {
      root?.dispose();
    } catch (error) {
      if (reply.kind === 'ended') reply = { kind: 'failed', id, failure: toFailure(error) };
    }
    this.#post(reply);
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const thread = new SandboxThread((reply) => port.postMessage(reply));
  port.on('message', (request: SandboxRequest) => thread.handle(request));
}
