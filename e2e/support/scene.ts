import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { boxwrightOk } from './boxwright.ts';
import { temporaryDirectory } from './temporary.ts';

/** A store and a context of one test, in a directory that is removed after it. */
export interface Scene {
  readonly directory: string;
  /** The store: `BOXWRIGHT_HOME` of the test's commands. */
  readonly home: string;
  readonly context: string;
}

/** A new scene whose store holds the named bases, with the given files in its context. */
export async function makeScene(
  files: Readonly<Record<string, string>>,
  bases: readonly string[] = ['busybox'],
): Promise<Scene> {
  const directory = temporaryDirectory('scene');
  const scene = { directory, home: join(directory, 'home'), context: join(directory, 'context') };
  writeFiles(scene.context, files);
  for (const base of bases) await boxwrightOk(scene.home, ['load', '--input', baseArchive(base)]);
  return scene;
}

/** The mtime of every file of a scene's context, seconds since 1970. */
export const FILE_TIME = 1_650_000_000;

/** Writes text files, making their directories. */
export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
    utimesSync(join(directory, path), FILE_TIME, FILE_TIME);
  }
}

/** The docker-archive of a base image, made once for all tests. */
export function baseArchive(name: string): string {
  const bases = inject('bases');
  const archive = 'value' in bases ? bases.value.archives[name] : undefined;
  if (archive === undefined) throw new Error(`no base image ${name}`);
  return archive;
}

/** Why tests that need base images (all of them) cannot run here, or undefined. */
export function missingBases(): string | undefined {
  const bases = inject('bases');
  return 'missing' in bases ? bases.missing : undefined;
}

/** Why tests with RUN cannot run here, or undefined. */
export function missingRun(): string | undefined {
  const sandbox = inject('sandbox');
  return missingBases() ?? ('missing' in sandbox ? sandbox.missing : undefined);
}

/** Unfinished work that a store holds: has to be none whenever no command runs. */
export function unfinishedWork(home: string): string[] {
  return readdirSync(join(home, 'tmp'));
}
