import { resolve } from 'node:path';
import {
  editVariables,
  encryptVariables,
  readVariablesText,
  type VariablesChange,
  type VariablesKey,
  variablesFileName,
} from '@boxwright/deploy';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { CommandContext } from '../command-context.ts';
import { shorterPath } from '../shorter-path.ts';
import { writeFileAtomically } from '../write-file.ts';
import { givenKey, keyFinder } from './find-key.ts';
import type { FileFlags } from './variables-flags.ts';

/** Nobody but the owner: such files hold passwords, encrypted or not. */
const mode = 0o600;

/** A file of variables that was read. */
export interface OpenVariables {
  /** Absolute. */
  readonly path: string;
  /** As short as it can be, safe to print. */
  readonly name: string;
  readonly text: string;
  /** Absent: the file is plain. */
  readonly key: VariablesKey | undefined;
}

/** The path that flags, or else the environment, name. Relative ones start where the command runs. */
export function variablesPath(file: string | undefined, { env, cwd }: CommandContext): string {
  return resolve(cwd, file ?? (env['BOXWRIGHT_VARIABLES_FILE'] || variablesFileName));
}

/** @throws BoxwrightError VARIABLES_NOT_FOUND, VARIABLES_LOCKED, VARIABLES_INVALID, YAML_TOO_LARGE; UsageError */
export async function openVariables(flags: FileFlags, context: CommandContext): Promise<OpenVariables> {
  const path = variablesPath(flags.file, context);
  const name = shownPath(path, context);
  const read = await readVariablesText(path, keyFinder(flags, context));
  if (read !== undefined) return { path, name, ...read };
  throw new BoxwrightError('VARIABLES_NOT_FOUND', `there is no file of variables ${name}`, {
    hint: "'boxwright variables set NAME VALUE' makes one.",
  });
}

/**
 * Changes one place of a file, and makes the file where there is none: encrypted where a key is given. It stays as encrypted as it was.
 *
 * @throws BoxwrightError as {@link openVariables}, but not for a file that is missing
 */
export async function changeVariables(
  flags: FileFlags,
  context: CommandContext,
  change: VariablesChange,
): Promise<OpenVariables> {
  const path = variablesPath(flags.file, context);
  const name = shownPath(path, context);
  const read = await readVariablesText(path, keyFinder(flags, context));
  const key = read === undefined ? givenKey(flags, context) : read.key;
  const changed = { path, name, key, text: await editVariables(read?.text ?? '', path, change) };
  await writeVariables(changed);
  if (read === undefined) {
    const how = key === undefined ? 'not encrypted: boxwright variables encrypt' : 'encrypted';
    context.stderr.write(`note: made ${name}, which you alone can read; ${how}\n`);
  }
  return changed;
}

/** Writes a file whole, encrypted where there is a key, for its owner only. Throws like fs. */
export async function writeVariables({ path, text, key }: Omit<OpenVariables, 'name'>): Promise<void> {
  writeFileAtomically(path, key === undefined ? text : await encryptVariables(text, key), mode);
}

/** A path as it is printed. */
export function shownPath(path: string, { cwd }: CommandContext): string {
  return escapeForTerminal(shorterPath(path, cwd));
}
