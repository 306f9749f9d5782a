import { createHash } from 'node:crypto';
import { toByteString } from '../bytes.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { digestAlgorithm, digestFromHash } from '../names/digest.ts';
import type { TarEntry } from '../tar/entry.ts';
import { TarWriter } from '../tar/tar-writer.ts';
import type { ArchiveOutput } from './archive-output.ts';
import { checkWritten } from './oci-layout-writer.ts';

/** A tar archive of plain files that depends on their names and contents only: no times, no owners. */
export class TarFile {
  readonly #output: ArchiveOutput;
  readonly #writer: TarWriter;
  readonly #names = new Set<string>();

  constructor(output: ArchiveOutput) {
    this.#output = output;
    this.#writer = new TarWriter((chunk) => output.write(chunk));
  }

  /** True when there is a file of that name already. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Adds a directory. */
  addDirectory(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#writer.writeEntry(entryOf(name, 'directory', 0));
  }

  /** Adds a small file. */
  add(name: string, bytes: Uint8Array): void {
    this.#begin(name, bytes.length);
    this.#writer.writeData(bytes);
    this.#writer.endEntry();
  }

  /** Adds content of any size, checked while it passes; after a failure the archive is worthless. @throws BoxwrightError BLOB_MISMATCH */
  async addBlob(
    name: string,
    descriptor: Descriptor,
    content: AsyncIterable<Uint8Array>,
    onBytes?: (count: number) => void,
  ): Promise<undefined> {
    const algorithm = digestAlgorithm(descriptor.digest);
    const hash = createHash(algorithm);
    let size = 0;
    this.#begin(name, descriptor.size);
    for await (const piece of content) {
      size += piece.length;
      if (size > descriptor.size) break;
      hash.update(piece);
      this.#writer.writeData(piece);
      onBytes?.(piece.length);
      await this.#output.drain();
    }
    checkWritten(descriptor, size, digestFromHash(hash, algorithm));
    this.#writer.endEntry();
  }

  /** Ends the archive. */
  async finish(): Promise<void> {
    this.#writer.finish();
    await this.#output.finish();
  }

  #begin(name: string, size: number): void {
    this.#names.add(name);
    this.#writer.writeEntry(entryOf(name, 'file', size));
  }
}

function entryOf(name: string, type: 'file' | 'directory', size: number): TarEntry {
  const mode = type === 'file' ? 0o644 : 0o755;
  return { path: toByteString(name), type, mode, uid: 0, gid: 0, size, mtimeNs: 0n };
}
