import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BoxwrightError } from '@boxwright/errors';
import { errorCode, readSmallFile, removeFile, replaceFile } from './files.ts';
import { ownedName } from './owner.ts';

/** Where everything of one store is. All of it is on one file system: things are put in place by rename. */
export interface StoreLayout {
  readonly root: string;
  /** `<algorithm>/<hex>`, as in an OCI image layout. */
  readonly blobs: string;
  /** Uncompressed layers by diffID, derived from compressed blobs: `<algorithm>/<hex>`. */
  readonly layers: string;
  /** `<sha256 of the name>.json`. */
  readonly tags: string;
  /** `<2 hex>/<sha256 of the key>.json`. */
  readonly cache: string;
  /** Layers unpacked in overlayfs form: `<hex of the diffID>/{fs,meta}`. */
  readonly snapshots: string;
  /** `<sha256 of the id>/<slot>/`. */
  readonly cacheMounts: string;
  readonly leases: string;
  /** Marks of garbage collections that run now. */
  readonly collections: string;
  /** Blobs that turned out not to match their digest; nothing reads them. */
  readonly corrupt: string;
  /** `<owner>/`: unfinished work, worthless once its owner is gone. */
  readonly temporary: string;
}

/** The format that this code reads and writes; a store of another one is refused. */
const formatVersion = 1;

/**
 * Finds the store at `root`, or makes an empty one: directories of mode 0700, since images, cache mounts and build
 * records may hold what other users must not read.
 *
 * @throws BoxwrightError STORE_UNUSABLE (cannot be made or read), STORE_VERSION (written by another version)
 */
export function openLayout(root: string): StoreLayout {
  const layout = layoutOf(resolve(root));
  const versionFile = join(layout.root, 'version');
  try {
    const text = readSmallFile(versionFile, 1024)?.toString('latin1');
    if (text === undefined || text.trim() === '') initialise(layout, versionFile);
    else checkVersion(layout.root, text);
  } catch (error) {
    if (error instanceof BoxwrightError) throw error;
    throw new BoxwrightError('STORE_UNUSABLE', `cannot open the image store ${layout.root}: ${messageOf(error)}`, {
      hint: 'set BOXWRIGHT_HOME to a directory that you can write to',
      cause: error,
    });
  }
  return layout;
}

function layoutOf(root: string): StoreLayout {
  return {
    root,
    blobs: join(root, 'blobs'),
    layers: join(root, 'layers'),
    tags: join(root, 'tags'),
    cache: join(root, 'cache'),
    snapshots: join(root, 'snapshots'),
    cacheMounts: join(root, 'cache-mounts'),
    leases: join(root, 'leases'),
    collections: join(root, 'gc'),
    corrupt: join(root, 'corrupt'),
    temporary: join(root, 'tmp'),
  };
}

/** Every directory first, the version file last: it says that all the others are there. */
function initialise(layout: StoreLayout, versionFile: string): void {
  for (const directory of Object.values(layout)) mkdirSync(directory, { recursive: true, mode: 0o700 });
  mkdirSync(join(layout.blobs, 'sha256'), { recursive: true, mode: 0o700 });
  const temporary = join(layout.temporary, `${ownedName()}.version`);
  replaceFile(versionFile, `${formatVersion}\n`, { temporary, durable: true });
  removeFile(temporary);
}

function checkVersion(root: string, text: string): void {
  if (text.trim() === String(formatVersion)) return;
  const found = /^[0-9]{1,9}$/.test(text.trim()) ? `format ${text.trim()}` : 'an unknown format';
  throw new BoxwrightError(
    'STORE_VERSION',
    `the image store ${root} has ${found}, this program knows ${formatVersion}`,
    {
      hint: 'use the program that wrote it, or set BOXWRIGHT_HOME to another directory',
    },
  );
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return errorCode(error) === undefined ? error.message : error.message.replace(/^[A-Z]+: /, '');
}
