import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { formatSizeShort } from '@boxwright/inspect';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newCommand } from '../commander.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { addPullFlags, openPulledImage, type PulledImageFlags } from '../pulled-image.ts';
import { unpackInThread } from '../unpack-in-thread.ts';
import type { UnpackSummary } from '../unpack-thread.ts';

interface UnpackFlags extends PulledImageFlags {
  readonly force: boolean;
  readonly platform?: string;
}

const examples = [
  'boxwright unpack app rootfs',
  'boxwright unpack --platform linux/arm64 debian:12 rootfs      from its registry, if it is not in the store',
];

/** `boxwright unpack`. */
export function unpackCommand(context: CommandContext): Command {
  const command = newCommand('unpack', "Unpacks an image's file system into a directory.", context, examples)
    .argument('<image>', 'name or id of an image in the local store, or a name in a registry')
    .argument('<dir>', 'directory to unpack into; made when it does not exist')
    .option('-f, --force', 'unpack over what is in the directory', false)
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)');
  return addPullFlags(command).action((image: string, dir: string, flags: UnpackFlags) =>
    unpack(image, resolve(context.cwd, dir), flags, context),
  );
}

async function unpack(name: string, dir: string, flags: UnpackFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  using found = await openPulledImage(name, platform, flags, context);
  const { store, descriptor } = found;
  const image = store.image(descriptor, platform);
  const tars: string[] = [];
  for (const layer of image.layers()) tars.push(await store.layerTar(layer.descriptor, layer.diffId, context.signal));

  const before = prepareDirectory(dir, flags.force);
  const isRoot = process.getuid?.() === 0;
  let summary: UnpackSummary;
  try {
    summary = await unpackInThread({ tars, target: dir, owners: isRoot ? 'keep' : 'ignore' }, context.signal);
  } catch (error) {
    removeUnpacked(dir, before);
    throw error;
  }
  report(summary, dir, isRoot, context);
}

function report(summary: UnpackSummary, dir: string, isRoot: boolean, context: CommandContext): void {
  const notes = [
    ...(isRoot ? [] : ['everything belongs to you, setuid and setgid are dropped: only root can keep owners']),
    ...(summary.skippedDevices === 0 ? [] : [`${summary.skippedDevices} device nodes left out`]),
    ...(summary.skippedXattrs === 0 ? [] : [`${summary.skippedXattrs} extended attributes could not be set`]),
  ];
  for (const note of notes) context.stderr.write(`warning: ${note}\n`);
  const size = formatSizeShort(summary.bytes);
  context.stderr.write(`${summary.entries} entries, ${size}, unpacked to ${escapeForTerminal(dir)}\n`);
}

/** What was there before: nothing, an empty directory, or files that must survive a failure. */
function prepareDirectory(dir: string, force: boolean): 'missing' | 'empty' | 'used' {
  const stats = statSync(dir, { throwIfNoEntry: false });
  if (stats === undefined) {
    mkdirSync(dir, { recursive: true });
    return 'missing';
  }
  if (!stats.isDirectory())
    throw new BoxwrightError('TARGET_NOT_A_DIRECTORY', `${escapeForTerminal(dir)} is not a directory`);
  if (readdirSync(dir).length === 0) return 'empty';
  if (force) return 'used';
  throw new BoxwrightError('TARGET_NOT_EMPTY', `${escapeForTerminal(dir)} is not empty`, {
    hint: 'Name a new directory, or unpack over it with --force.',
  });
}

/** Half a file system is of no use to anybody. */
function removeUnpacked(dir: string, before: 'missing' | 'empty' | 'used'): void {
  if (before === 'used') return;
  try {
    if (before === 'missing') rmSync(dir, { recursive: true, force: true });
    else for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
  } catch {
    // Directories without write permission stay; the error that brought us here is the one to show.
  }
}
