import { resolve } from 'node:path';
import type { BuildOutput, PushOptions } from '@boxwright/build';
import { UsageError } from '@boxwright/errors';
import { parseCompressionFlag } from './compression.ts';
import { parseCsv, parseCsvPairs } from './csv.ts';

/** One `--output` and the names that it gives the image besides `--tag`. */
export interface ParsedOutput {
  readonly output: BuildOutput;
  readonly names: readonly string[];
}

const knownKeys = ['type', 'dest', 'tar', 'name', 'push', 'load', 'compression', 'compression-level'];

/** What `--push` asks for: Docker's compression. */
export const defaultPush: PushOptions = { compression: { compression: 'gzip' } };

/** What stands for standard output as a destination. */
export const standardOutput = '-';

/**
 * `--output type=TYPE,dest=PATH…`, or a bare `DIR` (type local), or `-` (a tar of the file system on standard output).
 * A relative destination is resolved against `cwd`.
 * @throws UsageError for an unknown type or key, a missing destination, or keys that do not go together.
 */
export function parseOutput(text: string, cwd: string): ParsedOutput {
  const fields = parseCsv(text, '--output');
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) {
    if (text === '') throw new UsageError('--output: the destination is empty');
    return { output: text === standardOutput ? tar(text) : { type: 'local', dest: resolve(cwd, text) }, names: [] };
  }
  const pairs = parseCsvPairs(text, '--output', knownKeys);
  const names = (pairs.get('name') ?? '').split(',').filter((name) => name !== '');
  return { output: outputOf(text, pairs, cwd), names };
}

function outputOf(text: string, pairs: ReadonlyMap<string, string>, cwd: string): BuildOutput {
  const type = pairs.get('type');
  if (pairs.has('tar') && type !== 'oci') throw new UsageError(`--output ${text}: tar=… belongs to type=oci`);
  const push = type === 'registry' || parseBoolean(pairs.get('push') ?? 'false', text);
  const isImage = type === 'image' || type === 'registry';
  for (const key of ['push', 'compression', 'compression-level']) {
    if (pairs.has(key) && !(isImage && (push || key === 'push')))
      throw new UsageError(`--output ${text}: ${key}=… belongs to type=registry, or type=image with push=true`);
  }
  switch (type) {
    case 'image':
    case 'registry':
      if (pairs.has('dest'))
        throw new UsageError(`--output ${text}: type=${type} goes to the local store or a registry, it has no dest`);
      return { type: 'image', ...(push ? { push: pushOptions(pairs) } : {}) };
    case 'oci': {
      const asTar = parseBoolean(pairs.get('tar') ?? 'true', text);
      const dest = destination(text, pairs, cwd);
      if (!asTar && dest === standardOutput) throw new UsageError(`--output ${text}: a directory needs a path as dest`);
      return { type, dest, tar: asTar };
    }
    case 'docker':
      return { type, dest: destination(text, pairs, cwd) };
    case 'local': {
      const dest = destination(text, pairs, cwd);
      if (dest === standardOutput) throw new UsageError(`--output ${text}: type=local needs a directory as dest`);
      return { type, dest };
    }
    case 'tar':
      return tar(destination(text, pairs, cwd));
    case undefined:
      throw new UsageError(`--output ${text}: type=… is missing`);
    default:
      throw new UsageError(`--output ${text}: unknown type '${type}'`, {
        hint: 'Known types: image, registry, oci, docker, local, tar.',
      });
  }
}

/** buildx has the level as a key of its own. */
function pushOptions(pairs: ReadonlyMap<string, string>): PushOptions {
  const kind = pairs.get('compression') ?? 'gzip';
  const level = pairs.get('compression-level');
  return {
    compression: parseCompressionFlag(
      level === undefined ? kind.replace(/^uncompressed$/, 'none') : `${kind}:${level}`,
    ),
  };
}

function tar(dest: string): BuildOutput {
  return { type: 'tar', dest };
}

function destination(text: string, pairs: ReadonlyMap<string, string>, cwd: string): string {
  const dest = pairs.get('dest') ?? '';
  if (dest === '')
    throw new UsageError(`--output ${text}: dest=PATH is missing`, { hint: '`dest=-` writes to standard output.' });
  return dest === standardOutput ? dest : resolve(cwd, dest);
}

/** Booleans as Go's flags read them. */
function parseBoolean(value: string, text: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new UsageError(`--output ${text}: '${value}' is neither true nor false`);
}
