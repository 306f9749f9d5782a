import { escapeForTerminal, isBoxwrightError, safeJson } from '@boxwright/errors';
import { createdAgo, formatSizeShort, formatTable } from '@boxwright/inspect';
import {
  type Digest,
  digestHex,
  familiarName,
  ImageStore,
  isReferrerTag,
  parseReference,
  type StoredTag,
} from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { layerSizes } from '../image-size.ts';
import { usualPlatform } from '../present-platforms.ts';
import { storeRoot } from '../store-root.ts';

interface ImagesFlags extends CommonFlags {
  readonly quiet: boolean;
  readonly trunc: boolean;
  readonly digests: boolean;
  readonly format: 'table' | 'json';
}

interface ImageRow {
  readonly repository: string;
  readonly tag: string;
  /** Of the manifest or index that the name stands for. */
  readonly digest: Digest;
  readonly id: Digest | undefined;
  readonly created: string | undefined;
  readonly architecture: string | undefined;
  readonly os: string | undefined;
  /** Uncompressed bytes. */
  readonly size: number | undefined;
}

const examples = [
  'boxwright images',
  'boxwright images app',
  'boxwright images -q --no-trunc',
  'boxwright images --format json',
];

/** `boxwright images`. */
export function imagesCommand(context: CommandContext): Command {
  return newCommand('images', 'Lists the images of the local store, newest first.', context, examples)
    .argument('[name]', 'only images of this repository, or with this name and tag')
    .option('-q, --quiet', 'print ids only', false)
    .option('--no-trunc', 'print whole ids')
    .option('--digests', 'print digests of manifests too', false)
    .addOption(formatOption())
    .action((name: string | undefined, flags: ImagesFlags) => images(name, flags, context));
}

async function images(name: string | undefined, flags: ImagesFlags, context: CommandContext): Promise<void> {
  using store = ImageStore.open(storeRoot(flags.store, context));
  const tags = store.listTags().filter(nameFilter(name));
  const rows: ImageRow[] = [];
  for (const tag of tags) rows.push(await rowOf(store, tag, flags.quiet, context));
  rows.sort((a, b) => (Date.parse(b.created ?? '') || 0) - (Date.parse(a.created ?? '') || 0));
  if (flags.quiet) {
    const ids = new Set(rows.flatMap((row) => (row.id === undefined ? [] : [shownId(row.id, flags)])));
    context.stdout.write([...ids].map((id) => `${id}\n`).join(''));
  } else if (flags.format === 'json') {
    context.stdout.write(`${safeJson(rows, 2)}\n`);
  } else {
    context.stdout.write(table(rows, flags));
  }
}

function table(rows: readonly ImageRow[], flags: ImagesFlags): string {
  const now = Date.now();
  const digest = <Value>(value: Value): Value[] => (flags.digests ? [value] : []);
  return formatTable(
    ['REPOSITORY', 'TAG', ...digest('DIGEST'), 'IMAGE ID', 'CREATED', 'SIZE'],
    rows.map((row) => [
      row.repository,
      row.tag,
      ...digest(row.digest),
      row.id === undefined ? '<damaged>' : shownId(row.id, flags),
      createdAgo(row.created, now),
      row.size === undefined ? '?' : formatSizeShort(row.size),
    ]),
  );
}

/** One damaged image must not hide the others: it is listed with what is known, and reported. */
async function rowOf(
  store: ImageStore,
  tag: StoredTag,
  withoutSize: boolean,
  context: CommandContext,
): Promise<ImageRow> {
  const { domain, path, tag: tagName = '<none>' } = parseReference(tag.name);
  const known = { repository: familiarName({ domain, path }), tag: tagName, digest: tag.descriptor.digest };
  try {
    const platform = usualPlatform(store, tag.descriptor);
    const image = store.image(tag.descriptor, platform);
    const config = image.config();
    const sizes = withoutSize ? [] : await layerSizes(store, tag.descriptor, platform);
    return {
      ...known,
      id: image.manifest().config.digest,
      created: config.created,
      architecture: config.architecture,
      os: config.os,
      size: withoutSize ? undefined : sizes.reduce((sum, size) => sum + size, 0),
    };
  } catch (error) {
    if (!isBoxwrightError(error)) throw error;
    context.stderr.write(
      `warning: ${escapeForTerminal(`${familiarName(parseReference(tag.name))}: ${error.message}`)}\n`,
    );
    return { ...known, id: undefined, created: undefined, architecture: undefined, os: undefined, size: undefined };
  }
}

/**
 * `app` means every tag of the repository, `app:1` that one, `app@sha256:…` all that have the digest. What a pull with
 * `--referrers` has put beside images is none.
 */
function nameFilter(text: string | undefined): (tag: StoredTag) => boolean {
  const wanted = text === undefined ? undefined : parseReference(text);
  return ({ name, descriptor }) => {
    const stored = parseReference(name);
    if (isReferrerTag(stored.tag ?? '')) return false;
    if (wanted === undefined) return true;
    if (wanted.digest !== undefined && wanted.digest !== descriptor.digest) return false;
    return (
      stored.domain === wanted.domain &&
      stored.path === wanted.path &&
      (wanted.tag === undefined || stored.tag === wanted.tag)
    );
  };
}

function shownId(id: Digest, flags: ImagesFlags): string {
  return flags.trunc ? digestHex(id).slice(0, 12) : id;
}
