import { OutputTail } from '../../engine/output-tail.ts';
import type { BuildEvent } from '../../events.ts';
import { buildFailure, EngineBuildError, isCommand } from '../build-failure.ts';
import type { SolveStatus, SolveVertex } from './solve-status.ts';

/** What is kept of a step. */
interface KnownVertex {
  readonly name: string;
  started: boolean;
  /** Of the last end that was reported. */
  completed: number | undefined;
  error: string;
  tail: OutputTail | undefined;
}

/** Steps of which something is kept; a builder that reports more has lost its way. */
const MAX_VERTEXES = 100_000;

/** Folds BuildKit's reports into {@link BuildEvent}s, and remembers what an error has to say. */
export class SolveTrace {
  readonly #builder: string;
  readonly #emit: (event: BuildEvent) => void;
  readonly #vertexes = new Map<string, KnownVertex>();
  #failed: KnownVertex | undefined;
  #hasBegun = false;

  constructor(builder: string, onEvent: ((event: BuildEvent) => void) | undefined) {
    this.#builder = builder;
    this.#emit = onEvent ?? (() => {});
  }

  /** False until the builder has begun a step of the build: coming to the builder is none. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  apply({ vertexes, statuses, logs, warnings }: SolveStatus): void {
    for (const vertex of inputsFirst(vertexes)) this.#announce(vertex);
    for (const vertex of vertexes) this.#vertex(vertex);
    for (const { id: name, vertex: id, current, total, timestamp, done } of statuses) {
      if (!this.#vertexes.has(id)) continue;
      const unit = current === 0 && total === 0 ? 'files' : 'bytes';
      const time = timestamp ?? Date.now();
      this.#emit({ type: 'status', id, name, current, ...(total === 0 ? {} : { total }), unit, time, done });
    }
    for (const { vertex: id, stream, data, timestamp } of logs) {
      const known = this.#vertexes.get(id);
      if (known === undefined) continue;
      known.tail ??= new OutputTail();
      known.tail.add(data);
      this.#emit({ type: 'log', id, stream, data, time: timestamp ?? Date.now() });
    }
    for (const { short, detail, url, file, line } of warnings) {
      const more = [...detail, ...(url === '' ? [] : [url])].join(' ');
      this.#emit({
        type: 'warning',
        message: short,
        ...(more === '' ? {} : { detail: more }),
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line }),
      });
    }
  }

  /** What a failed build is reported as. @param message the builder's last words, without those of its caller */
  failure(message: string, frame?: string): EngineBuildError {
    return this.#report(this.#failed, message, frame);
  }

  #report(failed: KnownVertex | undefined, message: string, frame?: string): EngineBuildError {
    const step = failed?.name;
    const said = failed?.error ?? '';
    // BuildKit says it in words only; they are its own, not the command's.
    const code = isCommand(step) ? /did not complete successfully: exit code: (\d+)/.exec(said)?.[1] : undefined;
    return buildFailure({
      builder: this.#builder,
      message: code === undefined ? message : said,
      step,
      exitCode: code === undefined ? undefined : Number(code),
      output: failed?.tail?.text,
      frame,
    });
  }

  #announce({ digest: id, name, inputs }: SolveVertex): void {
    if (this.#vertexes.has(id) || this.#vertexes.size >= MAX_VERTEXES) return;
    this.#vertexes.set(id, { name, started: false, completed: undefined, error: '', tail: undefined });
    this.#hasBegun ||= !/^\[internal\] (?:waiting for connection|booting buildkit)$/.test(name);
    this.#emit({ type: 'vertex', id, name, inputs });
  }

  #vertex({ digest: id, cached, started, completed, error }: SolveVertex): void {
    const known = this.#vertexes.get(id);
    if (known === undefined) return;
    if (started !== undefined && !known.started) {
      known.started = true;
      this.#emit({ type: 'started', id, time: started });
    }
    if (completed === undefined || completed === known.completed) return;
    if (cached) this.#emit({ type: 'cached', id, time: completed });
    known.completed = completed;
    known.error = error;
    this.#emit({ type: 'completed', id, time: completed, ...this.#errorOf(known) });
  }

  /** Steps that were stopped because another one failed have an error, too; the first that is their own counts. */
  #errorOf(known: KnownVertex): { readonly error?: EngineBuildError } {
    if (known.error === '') return {};
    const isCanceled = /context canceled/i.test(known.error);
    if (!isCanceled) this.#failed ??= known;
    return { error: isCanceled ? stopped(known.error) : this.#report(known, known.error) };
  }
}

/** BuildKit reports the steps of a build in any order; they are shown in that of the build. */
function inputsFirst(vertexes: readonly SolveVertex[]): readonly SolveVertex[] {
  const byDigest = new Map(vertexes.map((vertex) => [vertex.digest, vertex]));
  const seen = new Set<SolveVertex>();
  const ordered = new Set<SolveVertex>();
  for (const first of byDigest.values()) {
    // No recursion: a build may be as long as it likes.
    const stack = [first];
    for (let vertex = stack.at(-1); vertex !== undefined; vertex = stack.at(-1)) {
      if (seen.has(vertex)) {
        stack.pop();
        ordered.add(vertex);
        continue;
      }
      seen.add(vertex);
      for (const input of vertex.inputs.toReversed()) {
        const found = byDigest.get(input);
        if (found !== undefined && !seen.has(found)) stack.push(found);
      }
    }
  }
  return [...ordered];
}

function stopped(message: string): EngineBuildError {
  return new EngineBuildError('INTERRUPTED', message, {});
}
