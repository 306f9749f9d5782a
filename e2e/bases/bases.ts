import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runOk } from '../support/run.ts';

/** The base images, as docker-archives on disk: plain data for the test processes. */
export interface Bases {
  /** Absolute path of a statically linked busybox. */
  readonly busybox: string;
  /** Archive per base name; the image in it is `e2e/NAME:1`. */
  readonly archives: Readonly<Record<string, string>>;
  /** Hash of all their bytes: results of the real engine are keyed by it. */
  readonly hash: string;
}

/** Makes the base images below `directory`. Throws when the machine has no static busybox or no python3. */
export async function makeBases(directory: string): Promise<Bases> {
  const busybox = findStaticBusybox();
  mkdirSync(directory, { recursive: true });
  await runOk('python3', [join(import.meta.dirname, 'make_bases.py'), busybox, directory]);
  const hash = createHash('sha256');
  const archives: Record<string, string> = {};
  for (const name of readdirSync(directory).toSorted()) {
    archives[name.replace(/\.tar$/, '')] = join(directory, name);
    hash.update(readFileSync(join(directory, name)));
  }
  return { busybox, archives, hash: hash.digest('hex') };
}

function findStaticBusybox(): string {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'busybox');
    try {
      accessSync(path, constants.X_OK);
    } catch {
      continue;
    }
    if (isStatic(readFileSync(path))) return path;
  }
  throw new Error('no statically linked busybox on PATH (apt-get install busybox-static)');
}

/** True for a 64-bit little-endian ELF file without a PT_INTERP segment: it needs no loader and no library (elf(5)). */
function isStatic(file: Buffer): boolean {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) return false;
  const tableOffset = Number(file.readBigUInt64LE(0x20));
  const entrySize = file.readUInt16LE(0x36);
  const PT_INTERP = 3;
  for (let index = 0; index < file.readUInt16LE(0x38); index++) {
    if (file.readUInt32LE(tableOffset + index * entrySize) === PT_INTERP) return false;
  }
  return true;
}
