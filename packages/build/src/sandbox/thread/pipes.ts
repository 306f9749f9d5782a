import { chownSync, closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { mknod, S_IFIFO } from '@boxwright/sys';

/** Reading is paused while more than this of a command's output waits for the main thread. */
const MAX_WAITING = 4 << 20;

/** The two ends of a pipe that this process made. */
export interface PipeEnds {
  readonly path: string;
  readonly read: number;
  /** For the child; close it in this process when the child has its own. */
  readonly write: number;
}

/**
 * Makes a real pipe: a FIFO, with a name until {@link releasePipe}. Node's own `stdio: 'pipe'` is a socket, which a command
 * cannot open again as /dev/stdout; `owner` may, as in a container of Docker.
 *
 * @param path in the scratch space
 */
export function makePipe(
  path: string,
  owner: { readonly uid: number; readonly gid: number } = { uid: 0, gid: 0 },
): PipeEnds {
  mknod(path, S_IFIFO | 0o600);
  if (owner.uid !== 0 || owner.gid !== 0) chownSync(path, owner.uid, owner.gid);
  // Non-blocking, else opening waits for the other end.
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { path, read, write: openSync(path, constants.O_WRONLY) };
}

/** Takes the pipe's name away, and this process's write end: it ends when its last writer has gone. */
export function releasePipe({ path, write }: PipeEnds): void {
  unlinkSync(path);
  closeSync(write);
}

/** Reads a pipe to its end. */
export class PipeReader {
  /** Resolves when every writer has gone and everything was read. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #waiting = 0;

  /** @param onData the chunk is its receiver's to keep */
  constructor(descriptor: number, onData: (chunk: Buffer) => void) {
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: false });
    this.ended = new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
    });
    this.#socket.on('error', () => undefined); // 'close' follows
    this.#socket.on('data', (chunk: Buffer) => {
      this.#waiting += chunk.length;
      if (this.#waiting > MAX_WAITING) this.#socket.pause();
      onData(chunk);
    });
  }

  /** So many bytes were dealt with. */
  taken(bytes: number): void {
    this.#waiting -= bytes;
    if (this.#waiting <= MAX_WAITING / 2) this.#socket.resume();
  }

  /** Lets the thread end while this is read. */
  unref(): void {
    this.#socket.unref();
  }
}
