import { resolve } from 'node:path';
import type { BuildOutput } from '@boxwright/build';
import { UsageError } from '@boxwright/errors';
import { parseCsv, parseCsvPairs } from './csv.ts';

/** One `--output` and the names that it gives the image besides `--tag`. */
export interface ParsedOutput {
  readonly output: BuildOutput;
  readonly names: readonly string[];
}

/** What stands for standard output as a destination. */
export const standardOutput = '-';

/**
 * `--output type=TYPE,dest=PATH…`, or a bare `DIR` (type local), or `-` (a tar of the file system on standard output).
 * A relative destination is resolved against `cwd`.
 * @throws UsageError for an unknown type or key, a missing destination, or what only a registry can do.
 */
export function parseOutput(text: string, cwd: string): ParsedOutput {
  const fields = parseCsv(text, '--output');
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) {
    if (text === '') throw new UsageError('--output: the destination is empty');
    return { output: text === standardOutput ? tar(text) : { type: 'local', dest: resolve(cwd, text) }, names: [] };
  }
  const pairs = parseCsvPairs(text, '--output', ['type', 'dest', 'tar', 'name', 'push', 'load']);
  if (pairs.get('push') === 'true') {
    throw new UsageError(`--output ${text}: pushing to a registry is not available yet`, {
      hint: 'Write an archive with --output type=oci,dest=FILE and push that with another tool.',
    });
  }
  const names = (pairs.get('name') ?? '').split(',').filter((name) => name !== '');
  return { output: outputOf(text, pairs, cwd), names };
}

function outputOf(text: string, pairs: ReadonlyMap<string, string>, cwd: string): BuildOutput {
  const type = pairs.get('type');
  if (pairs.has('tar') && type !== 'oci') throw new UsageError(`--output ${text}: tar=… belongs to type=oci`);
  switch (type) {
    case 'image':
      if (pairs.has('dest'))
        throw new UsageError(`--output ${text}: type=image goes to the local store, it has no dest`);
      return { type };
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
        hint: 'Known types: image, oci, docker, local, tar.',
      });
  }
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
