import { readFileSync, statSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import type { VariablesKey } from './encryption.ts';
import type { Environment } from './environment-source.ts';

/** Nobody has longer passphrases, and a file that is one by mistake may be of any size. Bytes. */
const maxSecretFile = 64 * 1024;

/**
 * The key that the environment gives: `BOXWRIGHT_VARIABLES_KEY` (32 bytes, in base64 or hexadecimal) or `BOXWRIGHT_VARIABLES_PASSPHRASE`, or the
 * first line of the files that `BOXWRIGHT_VARIABLES_KEY_FILE` and `BOXWRIGHT_VARIABLES_PASSPHRASE_FILE` name.
 *
 * @param kind the kind that is wanted; without it any, a key first
 * @param prefix of the names of the variables
 * @throws BoxwrightError `VARIABLES_LOCKED` for a key of another length, and a file that cannot be read.
 */
export function variablesKeyFrom(
  env: Environment,
  kind?: VariablesKey['kind'],
  prefix: string = 'BOXWRIGHT_VARIABLES_',
): VariablesKey | undefined {
  if (kind !== 'passphrase') {
    const name = `${prefix}KEY`;
    const key = secretOf(env, name);
    if (key !== undefined) return { kind: 'key', key: keyBytes(key.trim(), name) };
  }
  if (kind === 'key') return undefined;
  const passphrase = secretOf(env, `${prefix}PASSPHRASE`);
  return passphrase === undefined ? undefined : { kind: 'passphrase', passphrase };
}

function keyBytes(text: string, name: string): Uint8Array {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  if (bytes.length === 32) return bytes;
  throw new BoxwrightError('VARIABLES_LOCKED', `${name} has ${bytes.length} bytes, not 32`, {
    hint: 'Make one with: openssl rand -base64 32',
  });
}

/** A variable, or the first line of the file that another one names. What is empty is not there. */
function secretOf(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  const text = env[name] || (file ? firstLine(file, `${name}_FILE`) : undefined);
  return text || undefined;
}

function firstLine(file: string, name: string): string | undefined {
  try {
    const { size } = statSync(file);
    if (size > maxSecretFile) throw new RangeError(`it has ${size} bytes`);
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0];
  } catch (cause) {
    throw new BoxwrightError('VARIABLES_LOCKED', `${file}, which ${name} names, cannot be read`, {
      hint: cause instanceof Error ? cause.message : undefined,
      cause,
    });
  }
}
