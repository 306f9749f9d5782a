import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Descriptor, descriptorJson, readDescriptor } from '../documents/descriptor.ts';
import { Fields } from '../documents/fields.ts';
import { isJsonObject, type JsonValue } from '../documents/json.ts';
import { parseJson } from '../documents/json-parser.ts';
import { goJson } from '../documents/json-writer.ts';
import { namesIn, readSmallFile, removeFile, replaceFile } from './files.ts';
import type { StoreSession } from './session.ts';

/** A name in the store and what it stands for. */
export interface StoredTag {
  /** Canonical reference: domain, path and tag all given. */
  readonly name: string;
  readonly descriptor: Descriptor;
  /** When it was last set, milliseconds since 1970. */
  readonly taggedAt: number;
}

/** A tag record is a name and a descriptor; anything larger is not one. */
const recordLimit = 64 * 1024;

/** Names of images: one small file each, named by the hash of the name, so that no name is ever a path. */
export class TagDirectory {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Sets a name, durably and in one step. What it names must have been made durable before. */
  set(name: string, descriptor: Descriptor): void {
    const record = new Map<string, JsonValue>([
      ['name', name],
      ['taggedAt', Date.now()],
      ['descriptor', descriptorJson(descriptor)],
    ]);
    replaceFile(this.#pathOf(name), goJson(record), { temporary: this.#session.temporaryPath('tag'), durable: true });
  }

  /** What a name stands for, or undefined. */
  get(name: string): StoredTag | undefined {
    const record = this.#read(this.#pathOf(name));
    return record?.name === name ? record : undefined;
  }

  /** Removes a name; false when there was none. */
  delete(name: string): boolean {
    return removeFile(this.#pathOf(name));
  }

  /** All names, sorted. */
  list(): StoredTag[] {
    const tags: StoredTag[] = [];
    for (const file of namesIn(this.#session.layout.tags)) {
      const record = /^[0-9a-f]{64}\.json$/.test(file) ? this.#read(join(this.#session.layout.tags, file)) : undefined;
      if (record !== undefined) tags.push(record);
    }
    return tags.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #pathOf(name: string): string {
    return join(this.#session.layout.tags, `${createHash('sha256').update(name).digest('hex')}.json`);
  }

  /** Records that are no records (an empty file after a power cut) count as absent. */
  #read(path: string): StoredTag | undefined {
    const bytes = readSmallFile(path, recordLimit);
    if (bytes === undefined) return undefined;
    try {
      const json = parseJson(bytes, { duplicateKeys: 'refuse', maxDepth: 8 });
      const fields = new Fields('tag record', isJsonObject(json) ? json : new Map());
      const descriptor = readDescriptor(fields.object('descriptor'));
      return { name: fields.string('name'), taggedAt: fields.optionalInteger('taggedAt') ?? 0, descriptor };
    } catch {
      return undefined;
    }
  }
}
