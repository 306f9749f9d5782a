import { readFileSync, statSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { maxYamlSize } from '../yaml/index.ts';
import { decryptVariables, isEncrypted, lockOf, type VariablesKey } from './encryption.ts';
import type { VariableSource } from './variable-source.ts';
import { parseVariables } from './variables-document.ts';

/** Looked for beside the project file. */
export const variablesFileName = 'boxwright.variables.yaml';

/** Finds, or asks somebody for, a key of one kind; asked only for files that are encrypted. */
export type KeyFinder = (
  kind: VariablesKey['kind'],
  file: string,
) => VariablesKey | undefined | Promise<VariablesKey | undefined>;

/** A file of variables, and what opened it. */
export interface VariablesText {
  /** YAML, deciphered. */
  readonly text: string;
  /** Absent: the file is plain. */
  readonly key: VariablesKey | undefined;
}

/**
 * Reads the text of a file of variables, plain or encrypted (`encryptVariables`).
 *
 * @returns undefined where there is no such file
 * @throws BoxwrightError `VARIABLES_LOCKED` for an encrypted file without a key or with another one; `VARIABLES_INVALID` and `YAML_TOO_LARGE`
 * for what is no such file.
 */
export async function readVariablesText(path: string, keyOf: KeyFinder): Promise<VariablesText | undefined> {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  if (!facts.isFile()) throw new BoxwrightError('VARIABLES_INVALID', `${path} is not a regular file`);
  // Encrypted text is longer by a third.
  if (facts.size > 2 * maxYamlSize) throw new BoxwrightError('YAML_TOO_LARGE', `${path} has ${facts.size} bytes`);
  const text = readFileSync(path, 'utf8');
  if (!isEncrypted(text)) return { text, key: undefined };
  const kind = lockOf(text, path);
  const key = await keyOf(kind, path);
  if (key !== undefined) return { text: await decryptVariables(text, key, path), key };
  const name = kind === 'key' ? 'KEY' : 'PASSPHRASE';
  throw new BoxwrightError('VARIABLES_LOCKED', `${path} is encrypted with a ${kind}`, {
    hint: `Set BOXWRIGHT_VARIABLES_${name} or BOXWRIGHT_VARIABLES_${name}_FILE.`,
  });
}

/**
 * The variables and blocks of a file.
 *
 * @returns undefined where there is no such file
 * @throws BoxwrightError as {@link readVariablesText}; `VARIABLES_INVALID`, `YAML_SYNTAX` and `YAML_TOO_LARGE` for other content.
 */
export async function readVariablesFile(path: string, keyOf: KeyFinder): Promise<VariableSource | undefined> {
  const read = await readVariablesText(path, keyOf);
  return read === undefined ? undefined : parseVariables(read.text, path);
}
