import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAtExit } from '../builder/remove-at-exit.ts';
import { type AutomaticDockerfile, type AutomaticOptions, automaticDockerfile } from './automatic-dockerfile.ts';
import type { PrefectImageOptions } from './prefect-dockerfile.ts';

/** A Dockerfile in a temporary directory; it goes with `await using`, and when the process ends. */
export interface GeneratedDockerfile extends AsyncDisposable {
  /** Absolute. A `.dockerignore` of its own lies beside it, where it has one. */
  readonly path: string;
  readonly text: string;
  readonly dockerfile: AutomaticDockerfile;
}

/**
 * Prefect's `generate_default_dockerfile`: the Dockerfile of a flow project as a temporary file. Other than Prefect's it is
 * not written into the project, so a Dockerfile there is not in its way: build with it as `dockerfile`.
 *
 *     await using file = generateDefaultDockerfile();
 *     await buildImage('.', { dockerfile: file.path });
 *
 * @param context the project; default: the current directory
 * @throws BoxwrightError CONTEXT_NOT_FOUND, VERSION_INVALID
 */
export function generateDefaultDockerfile(context = '.', options: PrefectImageOptions = {}): GeneratedDockerfile {
  return generateDockerfile(context, { ...options, kind: 'prefect' });
}

/** The same for a project of any kind: see {@link automaticDockerfile}, also for what is thrown. */
export function generateDockerfile(context: string, options: AutomaticOptions = {}): GeneratedDockerfile {
  const dockerfile = automaticDockerfile(context, options);
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-dockerfile-'));
  const remove = removeAtExit(directory);
  const path = join(directory, 'Dockerfile');
  try {
    writeFileSync(path, dockerfile.text);
    if (dockerfile.ignoreText !== undefined) writeFileSync(`${path}.dockerignore`, dockerfile.ignoreText);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    path,
    text: dockerfile.text,
    dockerfile,
    async [Symbol.asyncDispose]() {
      remove();
    },
  };
}
