import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/**
 * Copies a file, or a directory with what is in it, into a build context. Links are kept as links, modes and times too;
 * sockets are left out, as in Docker's contexts. What is there already is written over.
 *
 * @throws BoxwrightError CONTEXT_FILE_SPECIAL for devices and pipes
 */
export function copyTree(source: string, target: string): void {
  const root = Buffer.from(target);
  copyEntry(Buffer.from(source), root, lstatSync(source), root);
}

/** Names are bytes: not all of them are text. */
function copyEntry(source: Buffer, target: Buffer, stats: Stats, root: Buffer): void {
  if (stats.isSocket()) return;
  const existing = lstatSync(target, { throwIfNoEntry: false });
  const keeps = existing?.isDirectory() === true && stats.isDirectory();
  if (existing !== undefined && !keeps) rmSync(target, { recursive: true });
  if (stats.isDirectory()) {
    if (!keeps) mkdirSync(target);
    // The target may lie inside the source: it is not copied into itself.
    for (const name of readdirSync(source, { encoding: 'buffer' })) {
      const from = below(source, name);
      const inner = lstatSync(from, { throwIfNoEntry: false });
      if (inner !== undefined && !from.equals(root)) copyEntry(from, below(target, name), inner, root);
    }
  } else if (stats.isSymbolicLink()) {
    symlinkSync(readlinkSync(source, { encoding: 'buffer' }), target);
    return;
  } else if (stats.isFile()) {
    copyFileSync(source, target, constants.COPYFILE_FICLONE);
  } else {
    throw new BoxwrightError(
      'CONTEXT_FILE_SPECIAL',
      `${escapeForTerminal(source.toString())} is neither file, directory nor link`,
      { hint: 'Devices and pipes cannot be copied into an image.' },
    );
  }
  chmodSync(target, stats.mode & 0o7777);
  utimesSync(target, stats.atime, stats.mtime);
}

function below(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}
