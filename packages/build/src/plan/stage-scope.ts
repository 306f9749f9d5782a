import { envKey, envValue } from './image-state.ts';

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

  /** Starts from the stage this one is built on, ARGs included, then the image's ENV. */
  constructor(base: StageScope | undefined, env: readonly string[]) {
    this.#values = new Map(base === undefined ? [] : base.#values);
    this.#args = base === undefined ? [] : [...base.#args];
    for (const entry of env) this.set(envKey(entry), envValue(entry));
  }

  lookup = (name: string): string | undefined => this.#values.get(name);

  set(name: string, value: string): void {
    // Deleted first: a name that is set again moves to the end, as in BuildKit's EnvList.
    this.#values.delete(name);
    this.#values.set(name, value);
  }

  declareArg(key: string, value: string | undefined): void {
    this.#args.push({ key, value });
    if (value !== undefined) this.set(key, value);
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
