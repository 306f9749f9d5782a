import { spawn } from 'node:child_process';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { LineSplitter } from '../line-splitter.ts';

/** A call of the docker command. */
export interface DockerCall {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Given on standard input; default: nothing. */
  readonly input?: string | undefined;
  /** `pass`: standard output is this process's own. */
  readonly stdout: 'lines' | 'pass';
  readonly onLine?: (line: string, stream: 1 | 2) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How long it may take to end after SIGTERM, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Runs the docker command to its end.
 *
 * @returns its exit code; 128 + N after a signal
 * @throws BoxwrightError BUILDX_NOT_FOUND when there is no such program; the signal's reason
 */
export async function runDocker(call: DockerCall): Promise<number> {
  const { command, args, input, stdout, onLine, signal } = call;
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    env: { ...call.env },
    stdio: [input === undefined ? 'ignore' : 'pipe', stdout === 'pass' ? 'inherit' : 'pipe', 'pipe'],
  });
  const ended = new Promise<number>((fulfil, reject) => {
    child.once('error', (error) => reject(notStarted(command, error)));
    child.once('close', (code) => fulfil(code ?? 128 + 15));
  });
  let force: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    force = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  };
  signal?.addEventListener('abort', stop, { once: true });
  // A program that does not read its input says why by its exit code.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  for (const [stream, number] of [
    [child.stdout, 1],
    [child.stderr, 2],
  ] as const) {
    const lines = new LineSplitter((line) => onLine?.(line, number));
    stream?.on('data', (chunk: Uint8Array) => lines.push(chunk)).once('end', () => lines.end());
  }
  try {
    const code = await ended;
    signal?.throwIfAborted();
    return code;
  } finally {
    clearTimeout(force);
    signal?.removeEventListener('abort', stop);
  }
}

function notStarted(command: string, error: Error): BoxwrightError {
  return new BoxwrightError(
    'BUILDX_NOT_FOUND',
    `${escapeForTerminal(command)} cannot be run: ${escapeForTerminal(error.message)}`,
    { hint: 'install the docker command with its buildx plugin, or build with the engine embedded', cause: error },
  );
}
