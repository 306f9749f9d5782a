import { BoxwrightError } from '@boxwright/errors';
import { envKey, envValue } from './image-state.ts';

/** All names and values together; far above what exec(2) takes (threat B9: variables that double). */
const MAX_SIZE = 4 << 20;

/** An ARG met in a stage, with the value it took; undefined when nothing gave it one. */
export interface DeclaredArg {
  readonly key: string;
  readonly value: string | undefined;
}

/**
 * The variables a stage sees: ENV and ARG in one list, the later of two equal names wins (BuildKit keeps both in the
 * state's environment; the Dockerfile reference's "ENV always overrides ARG" is not what it does).
 */
export class StageScope {
  readonly #values: Map<string, string>;
  readonly #args: DeclaredArg[];
  #size = 0;

  /** Starts from the stage this one is built on, ARGs included, then the image's ENV. */
  constructor(base: StageScope | undefined, env: readonly string[]) {
    this.#values = new Map(base === undefined ? [] : base.#values);
    if (base !== undefined) this.#size = base.#size;
    this.#args = base === undefined ? [] : [...base.#args];
    for (const entry of env) this.set(envKey(entry), envValue(entry));
  }

  lookup = (name: string): string | undefined => this.#values.get(name);

  set(name: string, value: string): void {
    // Deleted first: a name that is set again moves to the end, as in BuildKit's EnvList.
    this.#size += value.length - (this.#values.get(name)?.length ?? -name.length);
    if (this.#size > MAX_SIZE) {
      throw new BoxwrightError(
        'DOCKERFILE_TOO_LARGE',
        `the variables of this stage take more than ${MAX_SIZE} characters`,
        {
          hint: 'a variable that is appended to itself doubles with every line',
          details: { name },
        },
      );
    }
    this.#values.delete(name);
    this.#values.set(name, value);
  }

  declareArg(key: string, value: string | undefined): void {
    this.#args.push({ key, value });
    if (value !== undefined) this.set(key, value);
  }

  /** Names that have a value. */
  get names(): Iterable<string> {
    return this.#values.keys();
  }

  /** ARGs in order of declaration, duplicates included. */
  get args(): readonly DeclaredArg[] {
    return this.#args;
  }

  /** `K=V` for the environment of RUN. */
  get environment(): readonly string[] {
    return [...this.#values].map(([key, value]) => `${key}=${value}`);
  }
}
