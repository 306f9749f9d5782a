import { spawn } from 'node:child_process';
import { closeSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import type { Scratch } from '../root/scratch.ts';
import { makePipe, PipeReader, releasePipe } from '../thread/pipes.ts';
import { CallList, type FailedCall } from './call-list.ts';
import { InitServer, initArchitecture, initPath, JOB_PLACE, openDescriptors, openList } from './server.ts';
import { MESSAGE_SIZE, MessageTag } from './supervise.ts';

/** How an init ended. */
export interface InitEnd {
  /** False when it has never been heard of. */
  readonly started: boolean;
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
  /** A signal for the command alone; kills it when it has not been started yet. */
  send(signal: NodeJS.Signals): void;
}

/** What starts with an init. */
export interface InitStart {
  readonly scratch: Scratch;
  readonly runDirectory: string;
  /** Adds the calls. */
  readonly fill: (list: CallList) => void;
  readonly stdio: 'pipe' | 'inherit' | 'tty';
  /** Who may open /dev/stdout again. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly onOutput: (stream: 1 | 2, chunk: Buffer) => void;
}

/** Starts an init. Its mounts may change as soon as it has ended, not before. */
export function startInit(start: InitStart): RunningInit {
  return start.stdio === 'pipe' ? startInServer(start) : startDirectly(start);
}

let server: InitServer | undefined;

/** Starts what the first init would have to wait for. */
export function warmUpInit(scratch: Scratch): InitServer {
  if (server?.alive !== true) server = InitServer.start(scratch);
  return server;
}

function startInServer({ scratch, runDirectory, fill, owner, onOutput }: InitStart): RunningInit {
  const launcher = warmUpInit(scratch);
  const list = new CallList(initArchitecture() ?? 'x64', JOB_PLACE);
  const place = (name: string): string => `${runDirectory}/${name}`;
  openDescriptors(list, { status: place('status'), stdout: place('stdout'), stderr: place('stderr') });
  fill(list);
  const listPath = place('list');
  // Holds the environment and so perhaps secrets; it is in memory and loses its name with the pipes.
  writeFileSync(listPath, list.encode(), { mode: 0o600 });
  const [status, stdout, stderr] = [
    makePipe(place('status')),
    makePipe(place('stdout'), owner),
    makePipe(place('stderr'), owner),
  ];
  // Our write ends keep the pipes from ending before the child has opened its own.
  const release = (): void => {
    launcher.forget(release);
    for (const pipe of [status, stdout, stderr]) releasePipe(pipe);
    unlinkSync(listPath);
  };
  const messages = new InitMessages(list, release);
  const reader = new PipeReader(status.read, (chunk) => messages.push(chunk));
  const output = [
    new PipeReader(stdout.read, (chunk) => onOutput(1, chunk)),
    new PipeReader(stderr.read, (chunk) => onOutput(2, chunk)),
  ];
  launcher.launch(listPath, release);
  const ended = Promise.all([reader, ...output].map((one) => one.ended)).then(() => messages.end);
  return { ended, output, kill: () => messages.kill(), send: (signal) => messages.send(signal) };
}

/** With this process's own stdin, stdout and stderr, which only a child of our own can have. */
function startDirectly({ scratch, runDirectory, fill, stdio }: InitStart): RunningInit {
  const list = new CallList(initArchitecture() ?? 'x64');
  fill(list);
  const listDescriptor = openList(`${runDirectory}/list`, list.encode());
  const status = makePipe(`${runDirectory}/status`);
  const child = spawn(initPath(scratch), [], {
    argv0: 'boxwright-sandbox',
    cwd: '/',
    env: {},
    // As the terminal's foreground job it must stay in its session; else an interrupt there is for us to pass on.
    detached: stdio !== 'tty',
    stdio: ['inherit', 'inherit', 'inherit', status.write, listDescriptor],
  });
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  releasePipe(status);
  closeSync(listDescriptor);
  const messages = new InitMessages(list, () => undefined);
  const reader = new PipeReader(status.read, (chunk) => messages.push(chunk));
  return {
    ended: Promise.all([exited, reader.ended]).then(() => messages.end),
    output: [],
    kill: () => messages.kill(),
    send: (signal) => messages.send(signal),
  };
}

/** Understands what comes through the status pipe. */
class InitMessages {
  readonly #list: CallList;
  readonly #onFirst: () => void;
  #bytes: Buffer = Buffer.alloc(0);
  #heard = false;
  #status: number | undefined;
  #failed: FailedCall | undefined;
  #supervisor: number | undefined;
  #killed = false;

  constructor(list: CallList, onFirst: () => void) {
    this.#list = list;
    this.#onFirst = onFirst;
  }

  get end(): InitEnd {
    return { started: this.#heard, status: this.#status, failed: this.#failed };
  }

  push(chunk: Buffer): void {
    if (!this.#heard) this.#onFirst();
    this.#heard = true;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (; this.#bytes.length >= MESSAGE_SIZE; this.#bytes = this.#bytes.subarray(MESSAGE_SIZE)) {
      this.#message(this.#bytes.readBigInt64LE(0), this.#bytes.readBigUInt64LE(8));
    }
  }

  /**
   * The supervisor's death ends its whole PID namespace; until its process id is known the wish is remembered. Once it has
   * told the command's status it is about to end, and its id may soon be somebody else's.
   */
  kill(): void {
    this.#killed = true;
    if (this.#supervisor === undefined || this.#status !== undefined) return;
    try {
      process.kill(this.#supervisor, 'SIGKILL');
    } catch {
      // it has gone by itself
    }
  }

  /** The command is the supervisor's only child; once that has told its status there is none. */
  send(signal: NodeJS.Signals): void {
    if (this.#status !== undefined) return;
    if (this.#supervisor === undefined) {
      this.kill();
      return;
    }
    try {
      const children = readFileSync(`/proc/${this.#supervisor}/task/${this.#supervisor}/children`, 'utf8');
      const command = /^\d+/.exec(children)?.[0];
      if (command !== undefined) process.kill(Number(command), signal);
    } catch {
      // it has gone by itself, or this kernel lists no children
    }
  }

  #message(value: bigint, tag: bigint): void {
    if (tag === MessageTag.pid) {
      this.#supervisor = Number(value);
      if (this.#killed) this.kill();
    } else if (tag === MessageTag.status) this.#status = Number(value & 0xffffffffn);
    else if (tag !== MessageTag.alive) this.#failed ??= this.#list.failedCall(value, tag);
  }
}
