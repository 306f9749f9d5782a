import type { EngineEvent } from '@boxwright/oci';
import { OutputTail } from '../../engine/output-tail.ts';
import { ProgressReporter, type StepProgress } from '../../engine/progress.ts';
import type { BuildEvent } from '../../events.ts';
import { buildFailure, type EngineBuildError } from '../build-failure.ts';

/** The classic builder's own words begin with this. */
const OWN = ' ---> ';

/**
 * Turns what the classic builder prints (`Step 2/5 : RUN make`, ` ---> Using cache`, output, pulls) into steps. What a
 * command prints comes in the same stream: it can make the picture wrong, but not the result.
 */
export class StepEvents {
  readonly #reporter: ProgressReporter;
  #step: StepProgress | undefined;
  #name: string | undefined;
  #number = 0;
  #isCached = false;
  #tail = new OutputTail();

  constructor(onEvent: ((event: BuildEvent) => void) | undefined) {
    this.#reporter = new ProgressReporter(onEvent);
  }

  /** Takes everything but an error. */
  apply({ stream, status, id, current, total }: EngineEvent): void {
    if (status !== undefined) {
      const name = id === undefined ? status : `${id} ${status}`;
      this.#current().status(name, current ?? 0, total, total === undefined ? 'files' : 'bytes', total === undefined);
    }
    if (stream !== undefined) this.#stream(stream);
  }

  /** @param code of the engine's error: the exit code of a command */
  failed(message: string, code: number | undefined): EngineBuildError {
    const error = buildFailure({
      builder: 'Docker Engine',
      message: message.trim(),
      step: this.#name,
      exitCode: code,
      output: this.#tail.text,
    });
    this.#step?.completed(error);
    this.#step = undefined;
    return error;
  }

  finish(): void {
    this.#end();
  }

  #stream(text: string): void {
    const [, number, total, label] = /^Step (\d+)\/(\d+) : (.*)\n?$/s.exec(text) ?? [];
    if (number !== undefined && label !== undefined && Number(number) === this.#number + 1) {
      this.#begin(`[${number}/${total}] ${label.trimEnd()}`);
      this.#number = Number(number);
    } else if (text.startsWith(OWN)) {
      if (text.startsWith(`${OWN}Using cache`)) this.#isCached = true;
    } else if (!isOwnWords(text)) {
      const { stream, plain } = outputOf(text);
      const data = Buffer.from(plain);
      this.#tail.add(data);
      this.#step?.log(stream, data);
    }
  }

  /** Pulls of the first image come before any step. */
  #current(): StepProgress {
    return this.#step ?? this.#begin('[internal] pulling');
  }

  #begin(name: string): StepProgress {
    this.#end();
    const step = this.#reporter.step(name);
    step.started();
    this.#step = step;
    this.#name = name;
    this.#tail = new OutputTail();
    return step;
  }

  #end(): void {
    if (this.#isCached) this.#step?.cached();
    else this.#step?.completed();
    this.#step = undefined;
    this.#isCached = false;
  }
}

function isOwnWords(text: string): boolean {
  return (
    text === '\n' ||
    /^(?:Removed intermediate container|Removing intermediate container|Successfully built|Successfully tagged) /.test(
      text,
    )
  );
}

/** Standard error is written in red. */
function outputOf(text: string): { readonly stream: 1 | 2; readonly plain: string } {
  const red = '\u001b[91m';
  if (!text.startsWith(red)) return { stream: 1, plain: text };
  const plain = text.slice(red.length);
  return { stream: 2, plain: plain.endsWith('\u001b[0m') ? plain.slice(0, -4) : plain };
}
