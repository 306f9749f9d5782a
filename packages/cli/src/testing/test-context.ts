import { PassThrough, Readable } from 'node:stream';
import type { CommandContext } from '../command-context.ts';
import { CapturedOutput } from './captured-output.ts';

/** A context whose outputs can be read, with nothing from the real environment. */
export interface TestContext extends CommandContext {
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly exitCodes: number[];
}

/** Makes a {@link TestContext}; `parts` replace what it has. */
export function testContext(
  parts: Partial<Pick<CommandContext, 'env' | 'cwd' | 'signal' | 'onSecondSignal'>> = {},
): TestContext {
  const exitCodes: number[] = [];
  return {
    env: {},
    cwd: '/',
    stdin: { isTTY: false, open: () => Readable.from([]) },
    stdout: new CapturedOutput(),
    openStdout: () => new PassThrough(),
    stderr: new CapturedOutput(),
    signal: new AbortController().signal,
    onSecondSignal: () => ({ [Symbol.dispose]: () => undefined }),
    ownsProcess: false,
    colors: false,
    setExitCode: (code) => exitCodes.push(code),
    exitCodes,
    ...parts,
  };
}
