import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { namedWriteError } from './write-error.ts';

/** Where the bytes of an archive go. */
export interface ArchiveOutput {
  /** For messages. */
  readonly description: string;
  /** Takes bytes, which are only valid during the call. */
  write(chunk: Uint8Array): void;
  /** Waits until the reader has caught up; to be called now and then. */
  drain(): Promise<void>;
  /** All is written: a file appears under its name. */
  finish(): Promise<void>;
  /** Drops what was written, where that is possible. */
  abort(): Promise<void>;
}

/**
 * A file that appears, whole and fsynced, when it is finished. What is no regular file (a device, a FIFO) is written
 * to as it is.
 *
 * @throws the file system's error
 */
export function fileOutput(path: string): ArchiveOutput {
  const target = resolve(path);
  const existing = lstatSync(target, { throwIfNoEntry: false });
  const inPlace = existing !== undefined && !existing.isFile();
  mkdirSync(dirname(target), { recursive: true });
  const temporary = inPlace ? target : `${target}.${randomBytes(6).toString('hex')}.tmp`;
  let fd: number | undefined = openSync(temporary, inPlace ? 'w' : 'wx', 0o666);
  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  return {
    description: escapeForTerminal(path),
    write: (chunk) => {
      if (fd === undefined) throw new Error('the archive has been finished');
      try {
        for (let offset = 0; offset < chunk.length; ) offset += writeSync(fd, chunk, offset, chunk.length - offset);
      } catch (error) {
        throw namedWriteError(error, path);
      }
    },
    drain: async () => undefined,
    finish: async () => {
      if (fd !== undefined && !inPlace) fsyncSync(fd);
      close();
      if (!inPlace) renameSync(temporary, target);
    },
    abort: async () => {
      close();
      if (!inPlace) rmSync(temporary, { force: true });
    },
  };
}

/** A stream, for example standard output. It is not ended, since it may be the caller's for more. */
export function streamOutput(stream: Writable, description = 'standard output'): ArchiveOutput {
  let full = false;
  let failure: { readonly error: unknown } | undefined;
  stream.on('error', (error) => {
    failure ??= { error };
  });
  const check = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  const drain = async (): Promise<void> => {
    check();
    if (!full) return;
    const listening = new AbortController();
    try {
      // `once` fails when the stream does; a reader that goes away may close it without an error.
      await Promise.race(['drain', 'close'].map((event) => once(stream, event, { signal: listening.signal })));
    } finally {
      listening.abort();
    }
    full = false;
    check();
    if (stream.destroyed) throw new BoxwrightError('OUTPUT_CLOSED', `${description} was closed before all was written`);
  };
  return {
    description,
    write: (chunk) => {
      check();
      // The stream keeps what it is given until it is written; the chunk is used again before.
      full = !stream.write(Buffer.from(chunk));
    },
    drain,
    finish: drain,
    abort: async () => undefined,
  };
}
