import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { escapeForTerminal, safeJson, UsageError } from '@boxwright/errors';
import {
  canonicalName,
  copyImage,
  type Digest,
  familiarName,
  ImageStore,
  isTag,
  loadArchive,
  openOciLayout,
  type PlacedImage,
  parseReference,
  rememberUntagged,
  storeDestination,
  withDefaultTag,
} from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { imageId } from '../find-image.ts';
import { storeRoot } from '../store-root.ts';

interface LoadFlags extends CommonFlags {
  readonly input: string;
  readonly tag?: string;
  readonly quiet?: boolean;
  readonly format: 'table' | 'json';
}

/** What was loaded, for `--format json`. */
interface LoadedImage {
  readonly names: readonly string[];
  readonly id: Digest;
  readonly digest: Digest;
}

const examples = [
  'boxwright load -i app.tar                       docker save, skopeo, buildx: OCI or docker-archive, also compressed',
  'boxwright load -i layout                        an OCI image layout, as a directory',
  'docker save app | boxwright load',
  'boxwright load -i app.tar -t app:1.2            a name for the one image of the archive',
];

/** `boxwright load`. */
export function loadCommand(context: CommandContext): Command {
  return newCommand('load', 'Brings the images of an archive or OCI layout into the local store.', context, examples)
    .option('-i, --input <path>', 'archive or layout directory; - is standard input', '-')
    .option('-t, --tag <name>', 'name for the image; the archive must hold one')
    .option('-q, --quiet', 'print nothing')
    .addOption(formatOption())
    .action((flags: LoadFlags) => load(flags, context));
}

async function load(flags: LoadFlags, context: CommandContext): Promise<void> {
  const isStdin = flags.input === '-';
  if (isStdin && context.stdin.isTTY) {
    throw new UsageError('there is no archive on standard input', {
      hint: 'Give a file with --input, or pipe one in.',
    });
  }
  const path = resolve(context.cwd, flags.input);
  using store = ImageStore.open(storeRoot(flags.store, context));
  const isLayout = !isStdin && statSync(path).isDirectory();
  const images = isLayout
    ? await loadLayout(store, path, context)
    : await loadArchive(store, isStdin ? context.stdin.open() : path, { signal: context.signal });
  const names = namesFor(images, flags.tag, isStdin ? undefined : path);
  const loaded = images.map((image, index) => keep(store, image, names[index] ?? []));
  if (flags.format === 'json') context.stdout.write(`${safeJson(loaded, 2)}\n`);
  else if (flags.quiet !== true) for (const image of loaded) context.stdout.write(describe(image));
}

async function loadLayout(
  store: ImageStore,
  path: string,
  { signal }: CommandContext,
): Promise<readonly PlacedImage[]> {
  const layout = openOciLayout(path);
  const destination = storeDestination(store);
  // Names are given afterwards, all at once, as for archives.
  for (const image of layout.images) await copyImage(layout, { ...image, names: [] }, destination, { signal });
  await destination.finish();
  return layout.images;
}

/**
 * Canonical names per image. An image that has only a tag (skopeo's and umoci's way) is named after the archive:
 * `app.tar` with `1.2` is `app:1.2`.
 */
function namesFor(
  images: readonly PlacedImage[],
  tag: string | undefined,
  path: string | undefined,
): readonly (readonly string[])[] {
  if (tag !== undefined) {
    if (images.length !== 1) throw new UsageError(`--tag ${tag}: the archive holds ${images.length} images, not one`);
    return [[canonicalName(withDefaultTag(parseReference(tag)))]];
  }
  const repository = path === undefined ? undefined : repositoryOf(path);
  return images.map(({ names, refName }) => {
    if (names.length > 0 || refName === undefined || repository === undefined || !isTag(refName)) return names;
    return [canonicalName(parseReference(`${repository}:${refName}`))];
  });
}

/** A file's name as far as it can name a repository. */
function repositoryOf(path: string): string | undefined {
  const name = basename(path)
    .replace(/(?:\.(?:tar|tgz|gz|zst|xz|oci|docker))+$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? undefined : name;
}

function keep(store: ImageStore, { descriptor }: PlacedImage, names: readonly string[]): LoadedImage {
  for (const name of names) store.tag(name, descriptor);
  const id = idOf(store, descriptor);
  if (names.length === 0 && id !== descriptor.digest) rememberUntagged(store, id, descriptor);
  return { names: names.map((name) => familiarName(parseReference(name))), id, digest: descriptor.digest };
}

/** An index without an image for this machine has no id here; its own digest names it. */
function idOf(store: ImageStore, descriptor: PlacedImage['descriptor']): Digest {
  try {
    return imageId(store, descriptor);
  } catch {
    return descriptor.digest;
  }
}

/** Docker's words, which scripts look for. */
function describe({ names, id }: LoadedImage): string {
  if (names.length === 0) return `Loaded image ID: ${id}\n`;
  return names.map((name) => `Loaded image: ${escapeForTerminal(name)}\n`).join('');
}
