import { closeSync, constants, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { O_PATH } from '@boxwright/sys';

/** As the kernel: more links than this in one path are a loop. */
const MAX_LINKS = 40;

/** A place in a root file system, by descriptor of its directory, so that no link can lead elsewhere later. */
export interface Located {
  /** `O_PATH` descriptor of the deepest existing directory; the caller closes it. */
  readonly parent: number;
  /** Name in `parent`: of the thing itself when it exists, else of the first component that is missing. */
  readonly name: string;
  /** Components that do not exist, from `name` on; empty when the thing exists. */
  readonly missing: readonly string[];
  /** Of the thing, which is no symlink; undefined when it is missing. */
  readonly stats: Stats | undefined;
}

/** The path through /proc by which `fs` functions reach `name` in an open directory. */
export function at(directory: number, name: string): string {
  return `/proc/self/fd/${directory}/${name}`;
}

/** True for an error of the file system with this code. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/**
 * Finds `path` in the root file system `root` (a directory descriptor). Symlinks are followed as if `root` were `/`, also
 * the last one; what is missing after that may be created at the answer. Every step looks up one name in an
 * open directory (threats U1, B3, B4).
 *
 * @throws BoxwrightError `SANDBOX_PATH_INVALID` when a component is no directory or the links are too many
 * @returns undefined for the root itself
 */
export function locate(root: number, path: string): Located | undefined {
  const walk = new Walk(root, path);
  try {
    return walk.run();
  } finally {
    walk.close();
  }
}

class Walk {
  readonly #path: string;
  readonly #pending: string[];
  /** Open directories from the root down; names[i] is the name of directories[i + 1] in directories[i]. */
  readonly #directories: number[];
  readonly #names: string[] = [];
  #links = 0;
  #kept: number | undefined;

  constructor(root: number, path: string) {
    this.#path = path;
    this.#pending = path.split('/').toReversed();
    this.#directories = [openDirectory(at(root, '.'))];
  }

  run(): Located | undefined {
    for (let name = this.#pending.pop(); name !== undefined; name = this.#pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') this.#up();
      else {
        const end = this.#step(name);
        if (end !== undefined) return end;
      }
    }
    const name = this.#names.at(-1);
    if (name === undefined) return undefined;
    this.#up();
    const parent = this.#top();
    return this.#keep({ parent, name, missing: [], stats: lstatSync(at(parent, name)) });
  }

  close(): void {
    for (const directory of this.#directories) if (directory !== this.#kept) closeSync(directory);
  }

  #step(name: string): Located | undefined {
    const parent = this.#top();
    const stats = lstatSync(at(parent, name), { throwIfNoEntry: false });
    if (stats === undefined) {
      const missing = this.#missingFrom(name);
      const [first] = missing;
      return first === undefined ? undefined : this.#keep({ parent, name: first, missing, stats });
    }
    if (stats.isSymbolicLink()) this.#follow(readlinkSync(at(parent, name)));
    else if (stats.isDirectory()) {
      this.#directories.push(openDirectory(at(parent, name)));
      this.#names.push(name);
    } else if (this.#pending.some((rest) => rest !== '')) throw this.#invalid(`${name} is not a directory`);
    else return this.#keep({ parent, name, missing: [], stats });
    return undefined;
  }

  #follow(target: string): void {
    if (++this.#links > MAX_LINKS) throw this.#invalid('too many symbolic links');
    if (target.startsWith('/')) while (this.#names.length > 0) this.#up();
    this.#pending.push(...target.split('/').toReversed());
  }

  /**
   * The rest of the path, by its letters only: there is nothing to follow in what does not exist. Empty when `..` leads
   * back to the directory that we are in; the walk then goes on.
   */
  #missingFrom(name: string): string[] {
    const missing = [name];
    while (missing.length > 0) {
      const next = this.#pending.pop();
      if (next === undefined) break;
      if (next === '..') missing.pop();
      else if (next !== '' && next !== '.') missing.push(next);
    }
    return missing;
  }

  #up(): void {
    if (this.#names.pop() === undefined) return; // the parent of the root is the root
    const directory = this.#directories.pop();
    if (directory !== undefined) closeSync(directory);
  }

  #top(): number {
    const directory = this.#directories.at(-1);
    if (directory === undefined) throw new RangeError('the walk has left its root');
    return directory;
  }

  #keep(located: Located): Located {
    this.#kept = located.parent;
    return located;
  }

  #invalid(why: string): BoxwrightError {
    const path = escapeForTerminal(this.#path);
    return new BoxwrightError('SANDBOX_PATH_INVALID', `cannot use ${path} in the image: ${escapeForTerminal(why)}`, {
      details: { path: this.#path },
    });
  }
}

function openDirectory(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}
