import type { OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ReadBuffers } from './read-buffers.ts';

const READ_BYTES = 64 * 1024;

/** Reads of less than this are copied out of the buffer, so that it can be used for the next. */
const SMALL_READ = 16 * 1024;

/**
 * Where the bytes of a connection go to: usually to Node's HTTP parser, as without this; while a large body comes, to
 * {@link ReadBuffers} past the parser. The parser never learns how the body ended, so the connection ends with it.
 */
export class SocketReads {
  private socket: Socket | undefined;
  private buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  private buffers: ReadBuffers | undefined;
  private onBytes: (() => void) | undefined;

  /** The part of `buffers` that the next read goes to. */
  private target: Uint8Array | undefined;
  private isPaused = false;

  /** For `net.connect` and `tls.connect`. */
  readonly onread: OnReadOpts = {
    buffer: () => {
      this.target = this.buffers?.target();
      return this.target ?? this.buffer;
    },
    callback: (count, bytes) => {
      const goesOn =
        this.buffers === undefined ? this.pass(count) : this.keep(this.buffers, bytes.subarray(0, count), bytes);
      this.isPaused = !goesOn;
      return goesOn;
    },
  };

  /** Makes it the one of this connection, which was made with {@link onread}. */
  attach(connection: Duplex): void {
    // What `net` and `tls` make is a Socket.
    this.socket = connection as Socket;
    known.set(connection, this);
  }

  /** From the next read on, bytes go to `buffers`. @param onBytes called after each read */
  divert(buffers: ReadBuffers, onBytes: () => void): void {
    this.buffers = buffers;
    this.onBytes = onBytes;
  }

  /** Reads on, if it was paused because too much waited. */
  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.socket?.resume();
  }

  /** To the parser. @returns false to read no more for now */
  private pass(count: number): boolean {
    let bytes = this.buffer.subarray(0, count);
    if (count < SMALL_READ) bytes = Buffer.from(bytes);
    else this.buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    return this.socket?.push(bytes) ?? false;
  }

  private keep(buffers: ReadBuffers, read: Uint8Array, place: Uint8Array): boolean {
    if (place === this.target) buffers.filled(read.length);
    else {
      // The first read after diverting may still have gone to where the one before it was told to go.
      for (let at = 0; at < read.length; ) {
        const target = buffers.target();
        const part = read.subarray(at, at + target.length);
        target.set(part);
        buffers.filled(part.length);
        at += part.length;
      }
    }
    this.onBytes?.();
    return buffers.wantsMore;
  }
}

const known = new WeakMap<Duplex, SocketReads>();

/** The reads of a connection that was made with them. */
export function readsOf(connection: Duplex | null): SocketReads | undefined {
  return connection === null ? undefined : known.get(connection);
}
