import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { exportTar, formatSizeShort, type ImageFiles } from '@boxwright/inspect';
import { baseName, type ImageStore, toByteString, toFsPath } from '@boxwright/oci';
import type { CommandContext } from './command-context.ts';
import { unpackInThread } from './unpack-in-thread.ts';

/** What the export is called while it is unpacked. */
const topName = 'extracted';

/**
 * Writes a path of an image, with all below it, to this machine. It is unpacked beside its target with the care that
 * layers are unpacked with, and appears there when it is whole.
 *
 * @param target made; when it is a directory already, the path comes into it under its own name
 * @throws BoxwrightError FILE_NOT_FOUND, TARGET_NOT_EMPTY when there is something of that name; as reading and unpacking
 */
export async function extractFiles(
  files: ImageFiles,
  path: string,
  target: string,
  store: ImageStore,
  context: CommandContext,
): Promise<void> {
  const top = await files.find(toByteString(path));
  const isDirectory = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
  const name = toFsPath(baseName(top.path));
  if (isDirectory && top.path === '') throw occupied(target);
  const destination = isDirectory ? Buffer.concat([Buffer.from(`${target}/`), Buffer.from(name)]) : Buffer.from(target);
  if (lstatSync(destination, { throwIfNoEntry: false }) !== undefined) throw occupied(destination.toString());
  const parent = isDirectory ? target : dirname(target);
  mkdirSync(parent, { recursive: true });
  const tar = store.temporaryPath('extract');
  // Beside the target, so that it can be put in place by rename.
  const work = mkdtempSync(join(parent, `.${basename(target) || 'boxwright'}-`));
  try {
    const fd = openSync(tar, 'wx', 0o600);
    try {
      await exportTar(files, await files.tree(), { top, name: toByteString(topName) }, (bytes) => {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      });
    } finally {
      closeSync(fd);
    }
    const owners = process.getuid?.() === 0 ? 'keep' : 'ignore';
    const summary = await unpackInThread({ tars: [tar], target: work, owners }, context.signal);
    renameSync(join(work, topName), destination);
    const notes = [
      ...(owners === 'keep'
        ? []
        : ['everything belongs to you, setuid and setgid are dropped: only root can keep owners']),
      ...(summary.skippedDevices === 0 ? [] : [`${summary.skippedDevices} device nodes left out`]),
      ...(summary.skippedXattrs === 0 ? [] : [`${summary.skippedXattrs} extended attributes could not be set`]),
    ];
    for (const note of notes) context.stderr.write(`warning: ${note}\n`);
    const size = formatSizeShort(summary.bytes);
    const where = escapeForTerminal(destination.toString());
    context.stderr.write(`${summary.entries} entries, ${size}, extracted to ${where}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(tar, { force: true });
  }
}

function occupied(path: string): BoxwrightError {
  return new BoxwrightError('TARGET_NOT_EMPTY', `${escapeForTerminal(path)} is there already`, {
    hint: 'Nothing is overwritten: name something new.',
  });
}
