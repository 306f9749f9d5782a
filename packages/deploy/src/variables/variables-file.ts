import { readFileSync, statSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { maxYamlSize } from '../yaml/index.ts';
import { decryptVariables, isEncrypted, type VariablesKey } from './encryption.ts';
import type { Environment } from './environment-source.ts';
import type { VariableSource } from './variable-source.ts';
import { parseVariables } from './variables-document.ts';

/** Looked for beside the project file. */
export const variablesFileName = 'boxwright.variables.yaml';

/**
 * Reads a file of variables, plain or encrypted (`encryptVariables`).
 *
 * @returns undefined where there is no such file
 * @throws BoxwrightError `VARIABLES_LOCKED` for an encrypted file without a key or with another one; `VARIABLES_INVALID`, `YAML_SYNTAX` and
 * `YAML_TOO_LARGE` for other content.
 */
export async function readVariablesFile(path: string, key?: VariablesKey): Promise<VariableSource | undefined> {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  if (!facts.isFile()) throw new BoxwrightError('VARIABLES_INVALID', `${path} is not a regular file`);
  // Encrypted text is longer by a third.
  if (facts.size > 2 * maxYamlSize) throw new BoxwrightError('YAML_TOO_LARGE', `${path} has ${facts.size} bytes`);
  const text = readFileSync(path, 'utf8');
  if (!isEncrypted(text)) return parseVariables(text, path);
  if (key === undefined) {
    throw new BoxwrightError('VARIABLES_LOCKED', `${path} is encrypted`, {
      hint: 'Set BOXWRIGHT_VARIABLES_PASSPHRASE, BOXWRIGHT_VARIABLES_PASSPHRASE_FILE or BOXWRIGHT_VARIABLES_KEY.',
    });
  }
  return parseVariables(await decryptVariables(text, key, path), path);
}

/**
 * The key that the environment gives: `BOXWRIGHT_VARIABLES_KEY` (32 bytes, in base64 or hexadecimal), `BOXWRIGHT_VARIABLES_PASSPHRASE`, or
 * the first line of `BOXWRIGHT_VARIABLES_PASSPHRASE_FILE`.
 *
 * @throws BoxwrightError `VARIABLES_LOCKED` for a key of another length.
 */
export function variablesKeyFrom(env: Environment): VariablesKey | undefined {
  const { BOXWRIGHT_VARIABLES_KEY: key, BOXWRIGHT_VARIABLES_PASSPHRASE_FILE: file } = env;
  if (key !== undefined && key !== '') {
    const bytes = Buffer.from(key.trim(), /^[0-9a-f]{64}$/i.test(key.trim()) ? 'hex' : 'base64');
    if (bytes.length === 32) return { kind: 'key', key: bytes };
    throw new BoxwrightError('VARIABLES_LOCKED', `BOXWRIGHT_VARIABLES_KEY has ${bytes.length} bytes, not 32`, {
      hint: 'Make one with: openssl rand -base64 32',
    });
  }
  const passphrase = env['BOXWRIGHT_VARIABLES_PASSPHRASE'] ?? (file && readFileSync(file, 'utf8').split(/\r?\n/)[0]);
  return passphrase ? { kind: 'passphrase', passphrase } : undefined;
}
