import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SecretSource } from '@boxwright/build';
import { UsageError } from '@boxwright/errors';
import { parseCsvPairs } from './csv.ts';
import type { Environment } from './key-values.ts';

/** BuildKit refuses larger secrets. Bytes. */
const maxSecretSize = 500 * 1024;

/**
 * `--secret id=ID[,src=FILE|,env=NAME][,type=file|env]` as buildx reads it: without a source the environment variable
 * named like the id is taken, else the file of that name; with `type=env`, `src` names a variable. A variable that is
 * not set gives an empty secret.
 * @throws UsageError when the id is missing, or the file does not exist or is larger than 500 KiB.
 */
export function parseSecret(text: string, env: Environment, cwd: string): SecretSource {
  const pairs = parseCsvPairs(text, '--secret', ['id', 'src', 'source', 'env', 'type']);
  const id = pairs.get('id') ?? '';
  if (id === '') throw new UsageError(`--secret ${text}: id=NAME is missing`);
  const type = pairs.get('type') ?? (pairs.has('env') ? 'env' : undefined);
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw new UsageError(`--secret ${text}: type must be file or env, not '${type}'`);
  }
  const source = pairs.get('src') ?? pairs.get('source');
  const variable = pairs.get('env') ?? (type === 'env' ? (source ?? id) : undefined);
  if (variable !== undefined) return fromVariable(id, variable, env);
  if (source === undefined && type === undefined && env[id] !== undefined) return fromVariable(id, id, env);
  return fromFile(id, resolve(cwd, source ?? id), text);
}

/** The bytes are taken here: the build itself consults no environment. */
function fromVariable(id: string, variable: string, env: Environment): SecretSource {
  return { id, source: { value: Buffer.from(env[variable] ?? '') } };
}

function fromFile(id: string, file: string, text: string): SecretSource {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`--secret ${text}: there is no file ${file}`);
  if (stats.isDirectory()) throw new UsageError(`--secret ${text}: ${file} is a directory`);
  if (stats.size > maxSecretSize) {
    throw new UsageError(`--secret ${text}: ${file} has ${stats.size} bytes, a secret may have ${maxSecretSize}`);
  }
  return { id, source: { file } };
}
