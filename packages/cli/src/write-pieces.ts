import { streamOutput } from '@boxwright/oci';
import type { CommandContext } from './command-context.ts';

/** Characters that are written at a time. */
const enough = 64 * 1024;

/** Writes long text to standard output piece by piece, no faster than it is read. */
export async function writePieces(
  pieces: Iterable<string>,
  { openStdout, stdout }: Pick<CommandContext, 'openStdout' | 'stdout'>,
): Promise<void> {
  const waiting: string[] = [];
  let characters = 0;
  let output: ReturnType<typeof streamOutput> | undefined;
  for (const piece of pieces) {
    waiting.push(piece);
    characters += piece.length;
    if (characters < enough) continue;
    output ??= streamOutput(openStdout());
    output.write(Buffer.from(waiting.join('')));
    await output.drain();
    waiting.length = 0;
    characters = 0;
  }
  if (output === undefined) {
    stdout.write(waiting.join(''));
    return;
  }
  output.write(Buffer.from(waiting.join('')));
  await output.finish();
}
