import { escapeForTerminal } from '@boxwright/errors';
import type { ImageFiles } from '@boxwright/inspect';
import { streamOutput, type TreeNode, toByteString } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { openImageFiles } from '../open-image-files.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';

interface CatFlags extends CommonFlags {
  readonly raw: boolean;
  readonly platform?: string;
  readonly insecure: boolean;
}

const examples = [
  'boxwright cat app /etc/os-release',
  'boxwright cat docker://debian:12 /etc/passwd /etc/group        the second look downloads nothing',
  'boxwright cat --platform linux/arm64 app /bin/sh > sh',
];

/** `boxwright cat`. */
export function catCommand(context: CommandContext): Command {
  return newCommand(
    'cat',
    'Prints files of an image. Links are followed inside the image. On a terminal, control characters are shown instead of sent.',
    context,
    examples,
  )
    .argument(
      '<image>',
      'name or id in the local store, else name in a registry; or a place: docker://NAME, oci:DIR, …',
    )
    .argument('<path...>', 'files of the image')
    .option('--raw', 'send all bytes to a terminal, too', false)
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .addOption(insecureOption())
    .action((image: string, paths: readonly string[], flags: CatFlags) => cat(image, paths, flags, context));
}

async function cat(name: string, paths: readonly string[], flags: CatFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const { files, close } = await openImageFiles(name, platform, places);
  try {
    const nodes: TreeNode[] = [];
    for (const path of paths) nodes.push(await files.find(toByteString(path)));
    const isShown = context.stdout.isTTY === true && !flags.raw;
    for (const node of nodes) await (isShown ? show(files, node, context) : send(files, node, context));
  } finally {
    await close();
  }
}

async function send(files: ImageFiles, node: TreeNode, context: CommandContext): Promise<void> {
  const output = streamOutput(context.openStdout());
  for await (const piece of files.read(node)) {
    output.write(piece);
    await output.drain();
  }
  await output.finish();
}

/** As text: lines and tabs stay, whatever else could steer the terminal is written out. */
async function show(files: ImageFiles, node: TreeNode, { stdout }: CommandContext): Promise<void> {
  const decoder = new TextDecoder();
  const write = (text: string): void => {
    stdout.write(text.replace(/[^\n\t]+/g, escapeForTerminal));
  };
  for await (const piece of files.read(node)) write(decoder.decode(piece, { stream: true }));
  write(decoder.decode());
}
