import type { PlainObject, PlainValue } from '../yaml/index.ts';
import { parseVariables } from './variables-document.ts';

/** All that a file of variables holds. */
export interface VariablesContent {
  readonly variables: ReadonlyMap<string, PlainValue>;
  /** By `TYPE/NAME`. A block that is a single value has it as `value`. */
  readonly blocks: ReadonlyMap<string, PlainObject>;
}

/**
 * The content of the text of a file of variables.
 *
 * @throws BoxwrightError `VARIABLES_INVALID`, `YAML_SYNTAX` and `YAML_TOO_LARGE`.
 */
export async function variablesContent(text: string, file: string): Promise<VariablesContent> {
  const source = parseVariables(text, file);
  const variables = new Map<string, PlainValue>();
  const blocks = new Map<string, PlainObject>();
  const names = source.names();
  for (const name of names.variables) variables.set(name, (await source.variable(name)) ?? null);
  for (const block of names.blocks) {
    // A name of a type has no dot, as placeholders are split there.
    const dot = block.indexOf('.');
    const [type, name] = [block.slice(0, dot), block.slice(dot + 1)];
    const document = await source.block(type, name);
    if (document !== undefined) blocks.set(`${type}/${name}`, document.data);
  }
  return { variables, blocks };
}
