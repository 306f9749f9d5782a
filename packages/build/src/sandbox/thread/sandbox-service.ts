import { toFailure } from '../../workers/messages.ts';
import { hostFacts } from '../host-facts.ts';
import { warmUpInit } from '../init/start.ts';
import type { CommandStart, StartedCommand } from '../native.ts';
import { type PreparedRoot, prepareRoot } from '../root/prepare.ts';
import { Scratch } from '../root/scratch.ts';
import type { SandboxResult } from '../spec.ts';
import { isTierError, startIn, type Tier, tiersFor } from '../tiers.ts';
import type { SandboxReply, SandboxRequest } from './messages.ts';

/** A run under way. */
interface Run {
  started?: StartedCommand;
  killed: boolean;
}

/**
 * What runs commands. The thread it is used in moves to a mount namespace of its own, so that every mount is private and
 * goes with the process, however that ends. Commands are started from here because a child process is in the
 * namespaces of the thread that started it. Only synchronous `fs` calls see the mounts.
 */
export class SandboxService {
  readonly #post: (reply: SandboxReply) => void;
  readonly #running = new Map<number, Run>();
  /** Tiers that have run a command here, and those that could not run one which another tier then ran. */
  readonly #proven = new Set<Tier>();
  readonly #broken = new Set<Tier>();
  #scratch: Scratch | undefined;

  constructor(post: (reply: SandboxReply) => void) {
    this.#post = post;
  }

  /** Does what the first run would have to wait for. */
  warmUp(): void {
    try {
      warmUpInit(this.#openScratch());
      hostFacts();
    } catch {
      // the first run will meet the same error and report it
    }
  }

  handle(request: SandboxRequest): void {
    switch (request.kind) {
      case 'run':
        void this.#run(request);
        return;
      case 'kill':
        this.#kill(request.id);
        return;
      case 'signal':
        this.#running.get(request.id)?.started?.send(request.signal);
        return;
      case 'taken':
        for (const reader of this.#running.get(request.id)?.started?.output ?? []) reader.taken(request.bytes);
        return;
    }
  }

  #openScratch(): Scratch {
    this.#scratch ??= Scratch.open();
    return this.#scratch;
  }

  #kill(id: number): void {
    const run = this.#running.get(id);
    if (run === undefined) return;
    run.killed = true;
    run.started?.kill();
  }

  async #run({ id, spec, runtime }: SandboxRequest & { kind: 'run' }): Promise<void> {
    const run: Run = { killed: false };
    this.#running.set(id, run);
    let root: PreparedRoot | undefined;
    let reply: SandboxReply;
    try {
      const scratch = this.#openScratch();
      root = prepareRoot(scratch, spec, hostFacts().userNamespace);
      const onOutput = (stream: 1 | 2, chunk: Buffer): void => this.#post({ kind: 'output', id, stream, chunk });
      reply = { kind: 'ended', id, result: await this.#runInTiers({ scratch, root, spec, onOutput }, run, runtime) };
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

  async #runInTiers(start: CommandStart, run: Run, wish: string | undefined): Promise<SandboxResult> {
    const failures = new Map<Tier, unknown>();
    for (const tier of tiersFor(wish)) {
      if (wish === undefined && this.#broken.has(tier)) continue;
      try {
        run.started = startIn(tier, start);
        if (run.killed) run.started.kill();
        const result = await run.started.result;
        // Only now is it sure that the tiers were to blame and not the command.
        for (const failed of failures.keys()) this.#broken.add(failed);
        this.#proven.add(tier);
        return result;
      } catch (error) {
        if (!isTierError(error) || run.killed || this.#proven.has(tier)) throw error;
        failures.set(tier, error);
      }
    }
    throw failures.values().next().value ?? new Error('no tier is left');
  }
}
