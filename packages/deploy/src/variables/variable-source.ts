import type { PlainObject, PlainValue } from '../yaml/index.ts';

/** A block's data, and which of its texts must not be shown. */
export interface BlockDocument {
  readonly data: PlainObject;
  /** Names of secret fields as the block's type has them (`password`, `headers.*`); others are told by their names. */
  readonly secretFields?: readonly string[] | undefined;
}

/** A place that variables and blocks are looked up in: the environment, a file, a server. */
export interface VariableSource {
  /** For messages: `the environment`, `boxwright.variables.yaml`. */
  readonly description: string;
  /** @returns undefined where there is no such variable */
  variable(name: string): Promise<PlainValue | undefined>;
  /** @returns undefined where there is no such block */
  block(type: string, name: string): Promise<BlockDocument | undefined>;
  /** Names that are known without asking anybody, for suggestions: `NAME` of variables, `TYPE.NAME` of blocks. */
  names(): { readonly variables: readonly string[]; readonly blocks: readonly string[] };
}
