import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** No file that says something about a project is larger; lock files come near. */
const largestFile = 16 << 20;
const headSize = 64 << 10;
const mostNames = 10_000;

/** The files of a project directory, read once each. Nothing is followed further than the file system does, nothing is run. */
export class ProjectFiles {
  /** Absolute. */
  readonly directory: string;
  readonly #texts = new Map<string, string | undefined>();
  #names: readonly string[] | undefined;

  /** @throws BoxwrightError CONTEXT_NOT_FOUND */
  constructor(directory: string) {
    this.directory = resolve(directory);
    if (statSync(this.directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new BoxwrightError('CONTEXT_NOT_FOUND', `${escapeForTerminal(this.directory)} is not a directory`, {
        hint: 'Give the directory of the project.',
      });
    }
  }

  /** Last component of the directory's path; empty for the root of the file system. */
  get name(): string {
    return basename(this.directory);
  }

  /** True for a file or a directory of that name; not for a link that leads nowhere. */
  has(path: string): boolean {
    return this.#stats(path) !== undefined;
  }

  hasDirectory(path: string): boolean {
    return this.#stats(path)?.isDirectory() === true;
  }

  /** The text of a file; undefined when there is none, or one that cannot be what it is named after. */
  text(path: string): string | undefined {
    if (!this.#texts.has(path)) this.#texts.set(path, readText(join(this.directory, path)));
    return this.#texts.get(path);
  }

  /** The beginning of a file: enough for imports, and for a manifest's first lines. */
  head(path: string): string {
    return readText(join(this.directory, path), headSize) ?? '';
  }

  /** A JSON file's object as a Map; undefined when there is none. */
  json(path: string): ReadonlyMap<string, unknown> | undefined {
    const text = this.text(path);
    if (text === undefined) return undefined;
    try {
      return objectEntries(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** Names at the top, sorted. */
  names(): readonly string[] {
    this.#names ??= this.namesIn('.');
    return this.#names;
  }

  /** Names in a directory, sorted; none when it is none. */
  namesIn(path: string): readonly string[] {
    try {
      return readdirSync(join(this.directory, path)).toSorted().slice(0, mostNames);
    } catch {
      return [];
    }
  }

  #stats(path: string): Stats | undefined {
    try {
      return statSync(join(this.directory, path), { throwIfNoEntry: false });
    } catch {
      // Links in a circle, no right to look, no possible name (too long, a NUL byte).
      return undefined;
    }
  }
}

/** The entries of a JSON object; undefined for anything else. */
export function objectEntries(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : undefined;
}

function readText(path: string, limit = Number.POSITIVE_INFINITY): string | undefined {
  let file: number;
  try {
    // Without waiting: a pipe of that name would never be opened.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || (stats.size > largestFile && limit > largestFile)) return undefined;
    const bytes = Buffer.alloc(Math.min(stats.size, limit));
    let length = 0;
    for (let read = -1; length < bytes.length && read !== 0; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    return bytes.toString('utf8', 0, length).replace(/^\ufeff/, '');
  } finally {
    closeSync(file);
  }
}
