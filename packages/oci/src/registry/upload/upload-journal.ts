import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../../documents/json.ts';
import { parseJson } from '../../documents/json-parser.ts';
import { namesIn, readSmallFile, removeFile, replaceFile } from '../../store/files.ts';
import { currentOwner, mayBeAlive, ownedName, parseOwnedName } from '../../store/owner.ts';
import { type RepositoryName, repositoryKey } from '../repository-name.ts';

/** What is known of an unfinished upload. Holds no credentials. */
export interface UploadRecord {
  /** The session's URL. */
  readonly location: URL;
  /** Bytes that the registry has confirmed. */
  readonly accepted: number;
  /** Bytes that the registry wants in a chunk at least. */
  readonly minChunk: number;
  /** Digest of the `accepted` bytes, where it is known: what is sent later must belong to them. */
  readonly prefix?: string | undefined;
}

/** The note of one upload while this process works on it. */
export interface JournalEntry {
  /** What an earlier process, or an earlier try of this one, has left. */
  readonly found: UploadRecord | undefined;
  save(record: UploadRecord): void;
  /** Leaves the note for whoever comes next. */
  release(): void;
  /** The upload is over. */
  remove(): void;
}

/** Notes of unfinished uploads, so that they go on after a restart. */
export interface UploadJournal {
  /**
   * Begins or takes over the note of an upload.
   *
   * @param content digest, or key of a stream
   */
  claim(repository: RepositoryName, content: string): JournalEntry;
}

/** Registries drop unfinished uploads after a week (Distribution's default), or earlier. */
const staleMs = 7 * 24 * 60 * 60 * 1000;
/**
 * Processes that cannot be asked (before a reboot, in another container) count as gone when their note has not changed for
 * so long: it does with every chunk. Should one be alive all the same, the registry tells the two apart by their offsets.
 */
const silenceMs = 15 * 60 * 1000;
const maxRecord = 64 * 1024;
const version = 1;

/**
 * A journal in a directory, which is made when the first note is written. One file per upload:
 * `<owner>.<hash of repository and content>.json`, where the owner is `free` and a number, or a running process. A note is
 * taken over by renaming it, which only one process can do; one whose owner still runs is left alone. So two processes
 * never write to the same session.
 *
 * Nothing here makes an upload fail: without a note it would just start at the beginning another time.
 */
export function openUploadJournal(directory: string): UploadJournal {
  let swept = false;
  return {
    claim: (repository, content) => {
      if (!swept) sweep(directory);
      swept = true;
      return new FileEntry(directory, repository, content);
    },
  };
}

/** Remembers nothing. */
export const noJournal: UploadJournal = {
  claim: () => ({ found: undefined, save: () => {}, release: () => {}, remove: () => {} }),
};

class FileEntry implements JournalEntry {
  readonly found: UploadRecord | undefined;
  readonly #directory: string;
  readonly #repository: RepositoryName;
  readonly #content: string;
  readonly #suffix: string;
  readonly #name: string;

  constructor(directory: string, repository: RepositoryName, content: string) {
    this.#directory = directory;
    this.#repository = repository;
    this.#content = content;
    this.#suffix = `.${subjectHash(repository, content)}.json`;
    this.#name = `${ownedName()}${this.#suffix}`;
    this.found = quietly(() => this.#takeOver());
  }

  save({ location, accepted, minChunk, prefix }: UploadRecord): void {
    const path = join(this.#directory, this.#name);
    const record = {
      version,
      registry: this.#repository.registry,
      repository: this.#repository.path,
      content: this.#content,
      location: location.href,
      accepted,
      minChunk,
      ...(prefix === undefined ? {} : { prefix }),
      time: new Date().toISOString(),
    };
    quietly(() => {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      // Not fsynced: after a power cut the registry is asked anyway, or the upload starts over.
      replaceFile(path, `${JSON.stringify(record)}\n`, { temporary: `${path}.tmp`, durable: false });
    });
  }

  release(): void {
    const free = `free-${this.#name.slice(0, -this.#suffix.length).slice(-12)}${this.#suffix}`;
    quietly(() => renameSync(join(this.#directory, this.#name), join(this.#directory, free)));
  }

  remove(): void {
    quietly(() => removeFile(join(this.#directory, this.#name)));
  }

  #takeOver(): UploadRecord | undefined {
    for (const name of namesIn(this.#directory)) {
      if (!name.endsWith(this.#suffix) || isOwned(this.#directory, name)) continue;
      const path = join(this.#directory, this.#name);
      try {
        renameSync(join(this.#directory, name), path);
      } catch {
        // Another process was quicker.
        continue;
      }
      const record = quietly(() => this.#read(path));
      if (record !== undefined) return record;
      removeFile(path);
    }
    return undefined;
  }

  #read(path: string): UploadRecord | undefined {
    const bytes = readSmallFile(path, maxRecord);
    if (bytes === undefined || isStale(path)) return undefined;
    const value = parseJson(bytes, { duplicateKeys: 'refuse', maxDepth: 4 });
    if (!isJsonObject(value)) return undefined;
    const { registry, path: repository } = this.#repository;
    const expected: readonly [string, JsonValue][] = [
      ['version', version],
      ['registry', registry],
      ['repository', repository],
      ['content', this.#content],
    ];
    return expected.every(([key, wanted]) => value.get(key) === wanted) ? recordFrom(value) : undefined;
  }
}

function recordFrom(value: JsonObject): UploadRecord | undefined {
  const location = value.get('location');
  const accepted = value.get('accepted');
  const minChunk = value.get('minChunk');
  const prefix = value.get('prefix');
  if (typeof location !== 'string' || !/^https?:\/\//.test(location) || !URL.canParse(location)) return undefined;
  if (!isCount(accepted) || !isCount(minChunk)) return undefined;
  return {
    location: new URL(location),
    accepted,
    minChunk,
    ...(typeof prefix === 'string' ? { prefix } : {}),
  };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Contents are digests or keys of any length: only their hash becomes part of a file name. */
function subjectHash(repository: RepositoryName, content: string): string {
  return createHash('sha256')
    .update(`${repositoryKey(repository)}\n${content}`)
    .digest('hex')
    .slice(0, 40);
}

/** True while the process that the name speaks of may be running. */
function isOwned(directory: string, name: string): boolean {
  const owner = parseOwnedName(name);
  if (owner === undefined) return false;
  const path = join(directory, name);
  return owner.realm === currentOwner().realm ? mayBeAlive(owner, path) : ageMs(path) < silenceMs;
}

function isStale(path: string): boolean {
  return ageMs(path) > staleMs;
}

function ageMs(path: string): number {
  return Date.now() - statSync(path).mtimeMs;
}

/** Removes notes that are too old to be of use, and what killed processes were about to write. */
function sweep(directory: string): void {
  for (const name of quietly(() => namesIn(directory)) ?? []) {
    quietly(() => {
      const path = join(directory, name);
      if (!isOwned(directory, name) && (name.endsWith('.tmp') || isStale(path))) removeFile(path);
    });
  }
}

/** What `call` returns; undefined when it fails: the journal is a help, not a need. */
function quietly<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
