import { chownSync, closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { mknod, S_IFIFO } from '@boxwright/sys';

/** Reading is paused while more than this of a command's output waits for the main thread. */
const MAX_WAITING = 4 << 20;

/** The two ends of a pipe. */
export interface PipeEnds {
  readonly read: number;
  /** For the child; close it in this process after the child has started. */
  readonly write: number;
}

/**
 * Makes a real pipe (a FIFO without a name). Node's own `stdio: 'pipe'` is a socket, which a command cannot open again as
 * /dev/stdout; `owner` may, as in a container of Docker.
 *
 * @param directory in the scratch space
 */
export function makePipe(
  directory: string,
  name: string,
  owner: { readonly uid: number; readonly gid: number },
): PipeEnds {
  const path = `${directory}/${name}`;
  mknod(path, S_IFIFO | 0o600);
  try {
    chownSync(path, owner.uid, owner.gid);
    // Non-blocking, else opening waits for the other end.
    const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { read, write: openSync(path, constants.O_WRONLY) };
  } finally {
    unlinkSync(path);
  }
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

  /** Stops reading. */
  destroy(): void {
    this.#socket.destroy();
  }
}

/** Closes what is still open of a pipe whose child never started. */
export function closePipe({ read, write }: PipeEnds): void {
  closeSync(read);
  closeSync(write);
}
