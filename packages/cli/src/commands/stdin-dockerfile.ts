import { readFileSync, writeFileSync } from 'node:fs';
import type { ImageStore } from '@boxwright/oci';
import type { CommandContext } from '../command-context.ts';
import { readInput } from '../read-input.ts';

/** Longest Dockerfile that is read from standard input, bytes; the parser's own limit is the same. */
const maxSize = 16 * 1024 * 1024;

/** Names the file with what standard input held, for a process that is started when it has been read already. */
const variable = 'BOXWRIGHT_STDIN_DOCKERFILE';

/** The Dockerfile of `-f -`. */
export async function readStdinDockerfile(context: CommandContext): Promise<string> {
  const file = context.env[variable];
  if (file !== undefined) return readFileSync(file, 'utf8');
  return (await readInput(context.stdin.open(), maxSize, 'the Dockerfile', context.signal)).toString();
}

/** Lets processes that are started from now on read the same text; it is there as long as the store is open. */
export function handOnStdinDockerfile(store: ImageStore, text: string): void {
  const file = store.temporaryPath('dockerfile');
  writeFileSync(file, text, { mode: 0o600 });
  process.env[variable] = file;
}
