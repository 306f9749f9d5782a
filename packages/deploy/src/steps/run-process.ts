import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** Output that is kept of one script: more is no result that a template could use. */
const maxOutput = 64 * 1024 * 1024;
/** How long a command that was asked to end may take, in milliseconds. */
const graceMs = 2000;

/** A command to run. */
export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Each line as it comes, without its end. */
  readonly onLine?: ((line: string, stream: 1 | 2) => void) | undefined;
}

/** How a command ended and what it printed. */
export interface ProcessResult {
  /** 128 + N after signal N. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end. When the signal is aborted it is ended with all that it started.
 *
 * @throws BoxwrightError COMMAND_NOT_FOUND, COMMAND_OUTPUT_TOO_LARGE; the signal's reason
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  const { command, args, directory, env, signal, onLine } = options;
  signal.throwIfAborted();
  // A group of its own: what the command has started ends with it.
  const child = spawn(command, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const stdout = new Collected(1, onLine);
  const stderr = new Collected(2, onLine);
  let tooLarge = false;
  const take = (collected: Collected, chunk: Buffer): void => {
    if (collected.add(chunk) || tooLarge) return;
    tooLarge = true;
    endGroup(child);
  };
  child.stdout.on('data', (chunk: Buffer) => take(stdout, chunk));
  child.stderr.on('data', (chunk: Buffer) => take(stderr, chunk));
  const onAbort = (): void => endGroup(child);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const code = await new Promise<number>((fulfil, reject) => {
      child.once('error', (error) => reject(notStarted(options, error)));
      child.once('close', (exitCode, name) => fulfil(exitCode ?? 128 + signalNumber(name)));
    });
    signal.throwIfAborted();
    if (tooLarge) {
      throw new BoxwrightError(
        'COMMAND_OUTPUT_TOO_LARGE',
        `${escapeForTerminal(command)} printed more than ${maxOutput / 1024 / 1024} MiB`,
        { hint: 'Send its output to a file, or make it print less.' },
      );
    }
    return { code, stdout: stdout.end(), stderr: stderr.end() };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The output of one stream: its lines as they come, its text at the end. */
class Collected {
  readonly #stream: 1 | 2;
  readonly #onLine: ((line: string, stream: 1 | 2) => void) | undefined;
  readonly #decoder = new StringDecoder('utf8');
  readonly #pieces: string[] = [];
  #length = 0;
  #line = '';

  constructor(stream: 1 | 2, onLine: ((line: string, stream: 1 | 2) => void) | undefined) {
    this.#stream = stream;
    this.#onLine = onLine;
  }

  /** False when there is too much. */
  add(chunk: Buffer): boolean {
    if (this.#length > maxOutput) return false;
    this.#length += chunk.length;
    this.#text(this.#decoder.write(chunk));
    return this.#length <= maxOutput;
  }

  end(): string {
    this.#text(this.#decoder.end());
    if (this.#line !== '') this.#onLine?.(this.#line, this.#stream);
    this.#line = '';
    return this.#pieces.join('');
  }

  #text(text: string): void {
    this.#pieces.push(text);
    if (this.#onLine === undefined) return;
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line.replace(/\r$/, ''), this.#stream);
  }
}

function endGroup(child: ChildProcess): void {
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  kill('SIGTERM');
  const timer = setTimeout(() => kill('SIGKILL'), graceMs);
  child.once('close', () => clearTimeout(timer));
}

function signalNumber(name: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return name === null ? 0 : (numbers[name] ?? 0);
}

function notStarted({ command, directory }: ProcessOptions, error: Error): unknown {
  const code = 'code' in error ? error.code : undefined;
  if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'ENOTDIR') return error;
  const shown = escapeForTerminal(command);
  return new BoxwrightError(
    'COMMAND_NOT_FOUND',
    code === 'EACCES' ? `${shown} cannot be executed` : `there is no command ${shown}, or no directory ${directory}`,
    { hint: 'Install it, or mend PATH, the name or the directory.', cause: error, details: { command, directory } },
  );
}
