import { resolve } from 'node:path';
import { UsageError } from '@boxwright/errors';
import {
  changeRows,
  type FileRow,
  fileLines,
  filesJson,
  fileTree,
  type ImageFiles,
  layerChanges,
  namePattern,
  treeOf,
  treeRows,
} from '@boxwright/inspect';
import { layerPath, toByteString } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { extractFiles } from '../extract-files.ts';
import { openImageFiles } from '../open-image-files.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';
import { writePieces } from '../write-pieces.ts';

interface FilesFlags extends CommonFlags {
  readonly recursive: boolean;
  readonly layer?: string;
  readonly search?: string;
  readonly extract?: string;
  readonly format: 'table' | 'tree' | 'json';
  readonly platform?: string;
  readonly insecure: boolean;
}

const examples = [
  'boxwright files app                                   what is in the root, with the layer that it comes from',
  'boxwright files -R --format tree app /etc',
  'boxwright files --layer 3 app                         what layer 3 adds, changes (C) and removes (R)',
  "boxwright files --search '*.pem' docker://debian:12   layers are read once, and not kept",
  'boxwright files --extract ./nginx app /etc/nginx      a file or directory, on this machine',
  'boxwright files -R --format json app | jq .files',
];

/** `boxwright files`. */
export function filesCommand(context: CommandContext): Command {
  return newCommand(
    'files',
    'Lists the files of an image as a container sees them, or what one of its layers does; nothing is unpacked.',
    context,
    examples,
  )
    .argument(
      '<image>',
      'name or id in the local store, else name in a registry; or a place: docker://NAME, oci:DIR, …',
    )
    .argument('[path]', 'directory or file of the image', '/')
    .option('-R, --recursive', 'all below the path', false)
    .option('--layer <number>', 'only what this layer adds, changes and removes; the base is 1, the last one -1')
    .option('--search <pattern>', 'only these, at any depth: a name such as *.conf, or a path such as /etc/**/*.conf')
    .option('--extract <dest>', 'write the path, with all below it, to this file or directory, or into it if it exists')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'tree', 'json']).default('table'))
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .addOption(insecureOption())
    .action((image: string, path: string, flags: FilesFlags) => files(image, path, flags, context));
}

async function files(name: string, path: string, flags: FilesFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  if (flags.extract !== undefined && (flags.layer !== undefined || flags.search !== undefined)) {
    throw new UsageError('--extract takes a path of the image, not --layer or --search');
  }
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const opened = await openImageFiles(name, platform, places);
  try {
    if (flags.extract !== undefined) {
      await extractFiles(opened.files, path, resolve(context.cwd, flags.extract), places.store(), context);
      return;
    }
    const layer = flags.layer === undefined ? undefined : layerNumber(flags.layer, opened.files.layers.length);
    const rows = await rowsOf(opened.files, path, layer, flags);
    await writePieces(
      printed(rows, flags.format, () => filesJson(opened.image, rows, layer)),
      context,
    );
  } finally {
    await opened.close();
  }
}

function printed(
  rows: Iterable<FileRow>,
  format: FilesFlags['format'],
  json: () => Iterable<string>,
): Iterable<string> {
  if (format === 'json') return json();
  return format === 'tree' ? fileTree(rows) : fileLines(rows);
}

async function rowsOf(
  image: ImageFiles,
  path: string,
  layer: number | undefined,
  { recursive, search }: FilesFlags,
): Promise<Iterable<FileRow>> {
  const matches = search === undefined ? undefined : namePattern(search);
  const listings = await image.listings();
  if (layer === undefined) {
    const from = await image.find(toByteString(path));
    return treeRows(await image.tree(), listings, { from, recursive, matches });
  }
  const listing = await image.listing(layer - 1);
  const lower = listings.slice(0, layer - 1);
  const changes = layerChanges(listing, lower, treeOf(lower.map(({ index }) => index)));
  return changeRows(changes, listing, { layer, from: layerPath(toByteString(path)), matches });
}

function layerNumber(text: string, count: number): number {
  const number = /^-?\d{1,6}$/.test(text) ? Number(text) : 0;
  const layer = number < 0 ? count + 1 + number : number;
  if (layer >= 1 && layer <= count) return layer;
  throw new UsageError(`--layer ${text}: the image has layers 1 to ${count}`);
}
