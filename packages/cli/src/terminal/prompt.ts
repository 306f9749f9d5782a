import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { UsageError } from '@boxwright/errors';
import { InterruptedError } from '../interrupted.ts';

/** Where questions are asked and answers typed. */
export interface PromptTerminal {
  /** A terminal; `setRawMode` is that of `tty.ReadStream`. */
  readonly input: Readable & { readonly setRawMode?: (on: boolean) => unknown };
  readonly output: { write(text: string): unknown };
  readonly signal: AbortSignal;
}

/** Longest answer, in characters: tokens are pasted. */
const maxAnswer = 64 * 1024;

const interrupt = '\x03';
const endOfInput = '\x04';

/**
 * Asks for one line. A hidden answer is not shown while it is typed; backspace and Ctrl-U correct it, Ctrl-C interrupts.
 *
 * @throws InterruptedError; UsageError when the input ends or the answer is too long; the signal's reason
 */
export async function promptLine(
  question: string,
  terminal: PromptTerminal,
  { hidden }: { readonly hidden: boolean },
): Promise<string> {
  const { input, output, signal } = terminal;
  signal.throwIfAborted();
  output.write(question);
  // The terminal itself shows, or does not show, what is typed: raw mode is the only way to keep it quiet.
  if (hidden) input.setRawMode?.(true);
  try {
    return await readLine(input, signal);
  } finally {
    if (hidden) {
      input.setRawMode?.(false);
      output.write('\n');
    }
    input.pause();
  }
}

function readLine(input: Readable, signal: AbortSignal): Promise<string> {
  const decoder = new StringDecoder('utf8');
  const line: string[] = [];
  return new Promise((resolve, reject) => {
    const finish = (end: () => void): void => {
      input.off('data', onData).off('end', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      end();
    };
    const onData = (chunk: Buffer): void => {
      // Code points: a backspace takes one of them back.
      const keys = Array.from(withoutSequences(decoder.write(chunk)));
      for (const [index, key] of keys.entries()) {
        if (key === '\r' || key === '\n')
          return finishWith(keys.slice(keys[index + 1] === '\n' ? index + 2 : index + 1));
        if (key === interrupt) return finish(() => reject(new InterruptedError('SIGINT')));
        if (key === endOfInput) return line.length === 0 ? onEnd() : finishWith([]);
        edit(line, key);
        if (line.length > maxAnswer) {
          return finish(() => reject(new UsageError(`the answer has more than ${maxAnswer} characters`)));
        }
      }
    };
    /** What was typed ahead is for the next question; while nobody listens the stream must not flow. */
    const finishWith = (rest: readonly string[]): void => {
      finish(() => {
        if (rest.length > 0) input.pause().unshift(Buffer.from(rest.join('')));
        resolve(line.join(''));
      });
    };
    const onEnd = (): void => finish(() => reject(new UsageError('nothing was entered')));
    const onError = (error: Error): void => finish(() => reject(error));
    const onAbort = (): void => finish(() => reject(signal.reason));
    input.on('data', onData).on('end', onEnd).on('error', onError);
    signal.addEventListener('abort', onAbort);
    input.resume();
  });
}

/** Without what arrow and function keys send. */
function withoutSequences(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is searched for
  return text.replace(/\x1b(?:\[[0-9;]*[ -/]*[@-~]|O.|.)?/g, '');
}

function edit(line: string[], key: string): void {
  if (key === '\x7f' || key === '\b') line.pop();
  else if (key === '\x15') line.length = 0;
  else if (key >= ' ') line.push(key);
}
