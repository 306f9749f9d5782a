import { type ChildProcess, spawn } from 'node:child_process';

/** How a finished command ended and what it printed. */
export interface RunResult {
  readonly command: string;
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What {@link run} may be told. */
export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment of the command; default: ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: Uint8Array | string;
  /** Milliseconds after which the command is killed; default two minutes. */
  readonly timeoutMs?: number;
  /** Called once with the running process, for tests that send it signals. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs a command to its end and never rejects for its exit code. Rejects when it cannot be started. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((fulfil, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fulfil({
        command: [command, ...args].join(' '),
        code,
        signal,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
    if (options.input !== undefined) {
      child.stdin?.on('error', () => {}); // a command may end before it has read everything
      child.stdin?.end(options.input);
    }
    options.onStart?.(child);
  });
}

/** As {@link run}, but an exit code other than 0 is an error that shows what the command printed. */
export async function runOk(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new Error(describeFailure(result));
  return result;
}

/** One readable text of a command that failed. */
export function describeFailure(result: RunResult): string {
  const how = result.signal === null ? `exit code ${result.code}` : `signal ${result.signal}`;
  return `${result.command}\n→ ${how}\n${result.stderr}${result.stdout.toString().slice(-4000)}`;
}
