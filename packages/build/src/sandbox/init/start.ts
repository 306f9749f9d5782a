import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { BoxwrightError } from '@boxwright/errors';
import type { Scratch } from '../root/scratch.ts';
import { makePipe, PipeReader } from '../thread/pipes.ts';
import type { CallList, FailedCall } from './call-list.ts';
import { initProgram } from './program.ts';
import { MESSAGE_SIZE, MessageTag } from './supervise.ts';

/** How an init ended. */
export interface InitEnd {
  /** wait(2) status of the command, when it came so far. */
  readonly status: number | undefined;
  /** The call that failed, when one did. */
  readonly failed: FailedCall | undefined;
}

/** An init under way. */
export interface RunningInit {
  /** Resolves when every process of the sandbox has gone and its output was read. */
  readonly ended: Promise<InitEnd>;
  readonly output: readonly PipeReader[];
  /** SIGKILL to everything in the sandbox. */
  kill(): void;
}

/** What starts with an init. */
export interface InitStart {
  readonly scratch: Scratch;
  readonly runDirectory: string;
  readonly list: CallList;
  readonly stdio: 'pipe' | 'inherit' | 'tty';
  /** Who may open /dev/stdout again. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly onOutput: (stream: 1 | 2, chunk: Buffer) => void;
}

/** The processor's name when the init can run here. */
export function initArchitecture(): 'x64' | 'arm64' | undefined {
  const architecture = arch();
  return architecture === 'x64' || architecture === 'arm64' ? architecture : undefined;
}

/** Starts the init with its list; synchronous up to the moment the process exists. */
export function startInit(start: InitStart): RunningInit {
  const { runDirectory } = start;
  const program = programPath(start.scratch);
  const listPath = `${runDirectory}/list`;
  // Holds the environment and so perhaps secrets: in memory, and without a name before anything of the image runs.
  writeFileSync(listPath, start.list.encode(), { mode: 0o600 });
  const listDescriptor = openSync(listPath, 'r');
  unlinkSync(listPath);
  const status = makePipe(runDirectory, 'status', { uid: 0, gid: 0 });
  const pipes =
    start.stdio === 'pipe' ? ([1, 2] as const).map((stream) => makePipe(runDirectory, `o${stream}`, start.owner)) : [];
  const child = spawn(program, [], {
    argv0: 'boxwright-sandbox',
    cwd: '/',
    env: {},
    // Away from the terminal's process group: an interrupt there is for us to pass on.
    detached: start.stdio !== 'tty',
    stdio: [
      ...(start.stdio === 'pipe' ? ['ignore' as const, ...pipes.map(({ write }) => write)] : inherit),
      status.write,
      listDescriptor,
    ],
  });
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  for (const descriptor of [...pipes.map(({ write }) => write), status.write, listDescriptor]) closeSync(descriptor);
  const messages = new InitMessages(start.list, child);
  const statusReader = new PipeReader(status.read, (chunk) => messages.push(chunk));
  const output = pipes.map(
    ({ read }, index) => new PipeReader(read, (chunk) => start.onOutput(index === 0 ? 1 : 2, chunk)),
  );
  const ended = Promise.all([exited, statusReader.ended, ...output.map((reader) => reader.ended)]).then(
    () => messages.end,
  );
  return { ended, output, kill: () => messages.kill() };
}

const inherit = ['inherit', 'inherit', 'inherit'] as const;

let writtenProgram: string | undefined;

function programPath(scratch: Scratch): string {
  if (writtenProgram !== undefined) return writtenProgram;
  const program = initProgram(arch());
  if (program === undefined) {
    throw new BoxwrightError('SANDBOX_UNAVAILABLE', `RUN does not work on ${arch()} processors yet`, {
      hint: 'Run it on x86-64 or arm64. A Dockerfile without RUN can be built everywhere.',
    });
  }
  const path = `${scratch.path}/_init`;
  writeFileSync(path, program, { mode: 0o700 });
  writtenProgram = path;
  return path;
}

/** Understands what comes through the status pipe. */
class InitMessages {
  readonly #list: CallList;
  readonly #child: ChildProcess;
  #bytes: Buffer = Buffer.alloc(0);
  #status: number | undefined;
  #failed: FailedCall | undefined;
  #supervisor: number | undefined;
  #killed = false;

  constructor(list: CallList, child: ChildProcess) {
    this.#list = list;
    this.#child = child;
  }

  get end(): InitEnd {
    return { status: this.#status, failed: this.#failed };
  }

  push(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (; this.#bytes.length >= MESSAGE_SIZE; this.#bytes = this.#bytes.subarray(MESSAGE_SIZE)) {
      this.#message(this.#bytes.readBigInt64LE(0), this.#bytes.readBigUInt64LE(8));
    }
  }

  /** The supervisor's death ends its whole PID namespace; until its process id is known the wish is remembered. */
  kill(): void {
    this.#killed = true;
    if (this.#supervisor === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    try {
      process.kill(this.#supervisor, 'SIGKILL');
    } catch {
      // it has gone by itself
    }
  }

  #message(value: bigint, tag: bigint): void {
    if (tag === MessageTag.pid) {
      this.#supervisor = Number(value);
      if (this.#killed) this.kill();
    } else if (tag === MessageTag.status) this.#status = Number(value & 0xffffffffn);
    else this.#failed ??= this.#list.failedCall(value, tag);
  }
}
