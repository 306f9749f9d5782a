import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { arch } from 'node:os';
import { BoxwrightError } from '@boxwright/errors';
import { isErrno } from '../root/locate.ts';
import type { Scratch } from '../root/scratch.ts';
import { makePipe, PipeReader, releasePipe } from '../thread/pipes.ts';
import { CallList, type ListPlace } from './call-list.ts';
import { LIST_ADDRESS, LIST_SIZE } from './machine-code.ts';
import { initProgram } from './program.ts';
import { dieWithParent, LIST_FD } from './supervise.ts';

const AT_FDCWD = -100;
const O_WRONLY = 1;
const SIGCHLD = 17;

/** The server's own list, and behind it the one that each of its children reads. */
const SERVER_PLACE: ListPlace = { address: LIST_ADDRESS, size: 0x10000, maxRecords: 64 };
export const JOB_PLACE: ListPlace = {
  address: LIST_ADDRESS + SERVER_PLACE.size,
  size: LIST_SIZE - SERVER_PLACE.size,
  maxRecords: 1024,
};

/** Where the server reads from, and how long one request is: the path of a list, ended by zeros. */
const CONTROL_FD = 5;
const REQUEST_SIZE = 128;

/** The processor's name when the init can run here. */
export function initArchitecture(): 'x64' | 'arm64' | undefined {
  const architecture = arch();
  return architecture === 'x64' || architecture === 'arm64' ? architecture : undefined;
}

/** Writes the init into the scratch space, once. @throws BoxwrightError `SANDBOX_UNAVAILABLE` on other processors */
export function initPath(scratch: Scratch): string {
  const path = `${scratch.path}/_init`;
  if (writtenIn === scratch) return path;
  const program = initProgram(arch());
  if (program === undefined) {
    throw new BoxwrightError('SANDBOX_UNAVAILABLE', `RUN does not work on ${arch()} processors yet`, {
      hint: 'Run it on x86-64 or arm64. A Dockerfile without RUN can be built everywhere.',
    });
  }
  writeFileSync(path, program, { mode: 0o700 });
  writtenIn = scratch;
  return path;
}

let writtenIn: Scratch | undefined;

/**
 * An init that waits for lists and forks for each: starting a process from Node means copying the page tables of a process of
 * a hundred megabytes, which takes longer than all the rest of a small command. It lives in the sandbox thread's mount
 * namespace and dies with the thread.
 */
export class InitServer {
  /** False when it has died. */
  alive = true;
  readonly #control: number;
  readonly #onDeath = new Set<() => void>();

  private constructor(control: number, child: ChildProcess) {
    this.#control = control;
    child.once('exit', () => this.#died());
    child.once('error', () => this.#died());
    child.unref();
  }

  /** Starts a server. */
  static start(scratch: Scratch): InitServer {
    const list = openList(`${scratch.path}/_server`, serverList().encode());
    const status = makePipe(`${scratch.path}/_status`);
    const control = makePipe(`${scratch.path}/_control`);
    // The server waits in read(2), which our non-blocking end would not let it.
    const blocking = openSync(control.path, 'r');
    const stdio = ['ignore', 'ignore', 'ignore', status.write, list, blocking] as const;
    const child = spawn(initPath(scratch), [], {
      argv0: 'boxwright-sandbox',
      cwd: '/',
      env: {},
      detached: true,
      stdio: [...stdio],
    });
    releasePipe(status);
    new PipeReader(status.read, () => undefined).unref(); // nothing is said there, but the server looks for a reader
    unlinkSync(control.path);
    for (const descriptor of [control.read, blocking, list]) closeSync(descriptor);
    return new InitServer(control.write, child);
  }

  /**
   * Lets a child make the calls of a list for {@link JOB_PLACE}, which begins with {@link openDescriptors}.
   *
   * @param onDeath called when the server has died before the child; give it to {@link forget} when the child is there
   */
  launch(listPath: string, onDeath: () => void): void {
    const request = Buffer.alloc(REQUEST_SIZE);
    request.write(listPath, 0, REQUEST_SIZE - 1);
    this.#onDeath.add(onDeath);
    try {
      writeSync(this.#control, request);
    } catch (error) {
      if (!isErrno(error, 'EPIPE')) throw error;
      this.#died();
    }
  }

  /** See {@link launch}. */
  forget(onDeath: () => void): void {
    this.#onDeath.delete(onDeath);
  }

  #died(): void {
    if (!this.alive) return;
    this.alive = false;
    closeSync(this.#control);
    for (const onDeath of this.#onDeath) onDeath();
  }
}

/** Writes a list to a file in memory, opens it for reading, and takes its name away: it holds the environment. */
export function openList(path: string, bytes: Buffer): number {
  writeFileSync(path, bytes, { mode: 0o600 });
  try {
    return openSync(path, 'r');
  } finally {
    unlinkSync(path);
  }
}

function serverList(): CallList {
  const list = new CallList(initArchitecture() ?? 'x64', SERVER_PLACE);
  dieWithParent(list);
  setChildSignal(list, 1); // SIG_IGN: nobody has to wait for the children
  list.call('close the list', 'close', LIST_FD);
  const request = list.memory(Buffer.alloc(REQUEST_SIZE));
  list.label('next');
  list.callAndJump('wait for a request', 'requested', 'read', CONTROL_FD, request, REQUEST_SIZE);
  list.call('end when nobody can ask any more', 'exit_group', 0);
  list.label('requested');
  list.fork('start a child', 'again');
  // The lowest free descriptor is that of the list, as in an init of its own.
  list.call('open the list', 'openat', AT_FDCWD, request, 0, 0);
  list.callAndJump('read the list', JOB_PLACE.address, 'read', LIST_FD, { address: JOB_PLACE.address }, JOB_PLACE.size);
  list.call('end', 'exit_group', 125);
  list.label('again');
  list.callAndJump('go back', 'next', 'getpid');
  return list;
}

/** Adds the calls by which a server's child takes its pipes: each gets the number that was closed just before. */
export function openDescriptors(
  list: CallList,
  paths: { readonly status: string; readonly stdout: string; readonly stderr: string },
): void {
  const descriptors = [
    [3, paths.status],
    [1, paths.stdout],
    [2, paths.stderr],
  ] as const;
  for (const [descriptor, path] of descriptors) {
    list.call('close a descriptor', 'close', descriptor);
    list.call('open a pipe', 'openat', AT_FDCWD, path, O_WRONLY, 0);
  }
  setChildSignal(list, 0); // SIG_DFL again, for wait4 and for the command
}

/** struct sigaction of the kernel: handler, flags, restorer, mask. */
function setChildSignal(list: CallList, handler: 0 | 1): void {
  const action = Buffer.alloc(32);
  action.writeUInt32LE(handler);
  list.call('set the action for SIGCHLD', 'rt_sigaction', SIGCHLD, list.memory(action), 0, 8);
}
