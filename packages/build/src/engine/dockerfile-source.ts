import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Dockerfile, parseDockerfile, parseIgnoreFile } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import type { BuildRequest } from './engine.ts';

/** The Dockerfile and the ignore file that goes with it. */
export interface DockerfileSource {
  readonly dockerfile: Dockerfile;
  /** Text of `<Dockerfile>.dockerignore`, else of the context's `.dockerignore`; undefined when there is neither. */
  readonly ignoreText: string | undefined;
}

/** Larger than any Dockerfile that means well; the parser has its own limits below. */
const MAX_BYTES = 16 << 20;

/** The same before anything of it was understood. */
export interface DockerfileText {
  readonly text: string | Uint8Array;
  readonly ignoreText: string | undefined;
  /** Where the ignore text is from, for messages. */
  readonly ignoreFile: string;
}

/** @throws BoxwrightError `DOCKERFILE_NOT_FOUND`, `DOCKERFILE_TOO_LARGE`, `IGNORE_PATTERN`; DockerfileError */
export function loadDockerfile(request: BuildRequest): DockerfileSource {
  const { text, ignoreText, ignoreFile } = readDockerfile(request);
  const dockerfile = parseDockerfile(text, { file: request.dockerfilePath });
  // Read here once so that a wrong pattern is reported before anything runs.
  if (ignoreText !== undefined) parseIgnoreFile(ignoreText, { file: ignoreFile });
  return { dockerfile, ignoreText };
}

/** @throws BoxwrightError `DOCKERFILE_NOT_FOUND`, `DOCKERFILE_TOO_LARGE` */
export function readDockerfile(request: BuildRequest): DockerfileText {
  const file = request.dockerfilePath;
  const text = request.dockerfileText ?? readRequired(file);
  const own = request.dockerfileText === undefined ? readOptional(`${file}.dockerignore`) : undefined;
  return {
    text,
    ignoreText: own ?? readIgnoreFile(request.contextDir),
    ignoreFile: own === undefined ? '.dockerignore' : `${file}.dockerignore`,
  };
}

/** The ignore file that goes with a Dockerfile, or the context's own. @throws BoxwrightError as {@link loadDockerfile} */
export function loadIgnoreText(contextDir: string, dockerfilePath: string | undefined): string | undefined {
  const own = dockerfilePath === undefined ? undefined : readOptional(`${dockerfilePath}.dockerignore`);
  return own ?? readIgnoreFile(contextDir);
}

/** Text of a directory's `.dockerignore`; a named context has its own. */
export function readIgnoreFile(directory: string): string | undefined {
  return readOptional(join(directory, '.dockerignore'));
}

function readRequired(file: string): Buffer {
  const bytes = readLimited(file);
  if (bytes !== undefined) return bytes;
  throw new BoxwrightError('DOCKERFILE_NOT_FOUND', `no Dockerfile at ${file}`, {
    hint: 'name it with -f, or give another build context',
  });
}

function readOptional(file: string): string | undefined {
  return readLimited(file)?.toString('utf8');
}

function readLimited(file: string): Buffer | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile())
    throw new BoxwrightError('DOCKERFILE_NOT_FOUND', `${file} is not a regular file`, {
      hint: 'name the Dockerfile with -f',
    });
  if (stats.size > MAX_BYTES)
    throw new BoxwrightError('DOCKERFILE_TOO_LARGE', `${file} has ${stats.size} bytes, more than ${MAX_BYTES}`);
  return readFileSync(file);
}
