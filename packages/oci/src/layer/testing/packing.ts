import { mkdirSync } from 'node:fs';
import { TarWriter } from '../../tar/tar-writer.ts';
import { type Member, readTar } from '../../tar/testing/tar-fixtures.ts';
import { packDirectory } from '../pack-directory.ts';
import type { PackOptions, PackResult } from '../pack-options.ts';
import { unpackLayer } from '../unpack-layer.ts';
import { isRoot } from './unpacking.ts';

/** A packed directory and what reading the archive gives. */
export interface Packed {
  readonly result: PackResult;
  readonly archive: Buffer;
  readonly members: readonly Member[];
}

/** Packs a directory. */
export function pack(dir: string, options: PackOptions = {}): Packed {
  const chunks: Buffer[] = [];
  const writer = new TarWriter((chunk) => chunks.push(Buffer.from(chunk)));
  const result = packDirectory(dir, writer, options);
  writer.finish();
  const archive = Buffer.concat(chunks);
  return { result, archive, members: readTar(archive) };
}

/** The paths of the entries, in order. */
export function names({ members }: Packed): string[] {
  return members.map(({ entry }) => entry.path);
}

/** Unpacks an archive into a directory, made if need be. */
export function unpackInto(dir: string, archive: Buffer): void {
  mkdirSync(dir, { recursive: true });
  unpackLayer([archive], dir, { whiteouts: 'apply', owners: isRoot ? 'keep' : 'ignore', devices: 'create' });
}
