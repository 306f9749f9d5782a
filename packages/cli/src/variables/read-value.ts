import { UsageError } from '@boxwright/errors';
import type { CommandContext } from '../command-context.ts';
import { readInput } from '../read-input.ts';
import { promptLine } from '../terminal/prompt.ts';

/** Largest value, bytes. */
const maxValue = 256 * 1024;

/**
 * A value from standard input, without the line feed at its end; on a terminal one line that is not shown.
 *
 * @throws UsageError for input that is empty, or no UTF-8
 */
export async function readValue(what: string, { stdin, stderr, signal }: CommandContext): Promise<string> {
  const text = stdin.isTTY
    ? await promptLine(`${what} (not shown): `, { input: stdin.open(), output: stderr, signal }, { hidden: true })
    : textOf(await readInput(stdin.open(), maxValue, what, signal), what);
  if (text === '') throw new UsageError(`${what} is empty`);
  return text;
}

function textOf(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new UsageError(`${what} is not UTF-8 text`, { cause });
  }
}
