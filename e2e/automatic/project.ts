import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { User } from '../support/user.ts';
import type { Call, PackageIndex } from './package-index.ts';

/** Text files by their paths. */
export type Files = Readonly<Record<string, string>>;

/** Who builds, with which packages to be had. */
export interface Bench {
  readonly user: User;
  readonly index: PackageIndex;
}

/** A build, and what happened meanwhile. */
export interface Built {
  readonly id: string;
  /** Of stand-ins. */
  readonly calls: readonly Call[];
  /** The same as command lines. */
  readonly words: readonly string[];
  /** Packages. */
  readonly fetched: readonly string[];
}

function write(directory: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** A directory of a project, and its image built from what `dockerfile --auto` says. */
export class Project {
  readonly directory: string;
  readonly image: string;
  readonly #bench: Bench;
  readonly #dockerfile: string;

  constructor(bench: Bench, files: Files, name = 'app') {
    const place = mkdtempSync(join(bench.user.directory, 'project-'));
    this.#bench = bench;
    this.directory = join(place, name);
    this.image = basename(place).toLowerCase();
    this.#dockerfile = join(place, 'Dockerfile');
    write(this.directory, files);
  }

  write(files: Files): void {
    write(this.directory, files);
  }

  async automatic(): Promise<{
    readonly kind: string;
    readonly dockerfile: string;
    readonly dockerignore: string | null;
  }> {
    const { stdout } = await this.#bench.user.runOk(['dockerfile', '--auto', '--format', 'json', this.directory]);
    return JSON.parse(stdout.toString());
  }

  async build(): Promise<Built> {
    const { user, index } = this.#bench;
    const { dockerfile, dockerignore } = await this.automatic();
    writeFileSync(this.#dockerfile, dockerfile);
    if (dockerignore !== null) writeFileSync(`${this.#dockerfile}.dockerignore`, dockerignore);
    index.takeCalls();
    index.takeFetched();
    const flags = ['--quiet', '--file', this.#dockerfile, '--tag', this.image];
    const { stdout } = await user.runOk(['build', ...flags, this.directory]);
    const calls = index.takeCalls();
    return {
      id: stdout.toString().trim(),
      calls,
      words: calls.map(({ tool, args }) => [tool, ...args].join(' ')),
      fetched: index.takeFetched(),
    };
  }

  /** What the program says about itself. */
  async says(...args: readonly string[]): Promise<Said> {
    const { stdout } = await this.#bench.user.runOk(['run', '--network', 'none', this.image, ...args]);
    return JSON.parse(stdout.toString());
  }

  async paths(): Promise<readonly string[]> {
    const { stdout } = await this.#bench.user.runOk(['files', '-R', '--format', 'json', this.image]);
    const { files }: { readonly files: readonly { readonly path: string }[] } = JSON.parse(stdout.toString());
    return files.map(({ path }) => path);
  }
}

interface Said {
  readonly uid: number;
  readonly cwd: string;
  readonly version: string;
  /** Whether new files can be made where it runs. */
  readonly writable: boolean;
  readonly files: readonly string[];
}
