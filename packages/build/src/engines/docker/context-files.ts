import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type IgnoreMatcher, parseIgnoreFile } from '@boxwright/dockerfile';
import { readDockerfile } from '../../engine/dockerfile-source.ts';
import type { BuildRequest } from '../../engine/engine.ts';
import { checkContextDirectory } from '../../source/directory-tree.ts';

/** What a build of the Engine API is made from. */
export interface ContextFiles {
  /** Real path. */
  readonly contextDir: string;
  readonly dockerfileText: Uint8Array;
  /** Path of the Dockerfile below the context, with slashes; undefined when it is somewhere else or in no file. */
  readonly dockerfileInside: string | undefined;
  /** Text of the ignore file in force. */
  readonly ignoreText: string | undefined;
  readonly ignore: IgnoreMatcher | undefined;
}

/**
 * Reads the Dockerfile and the ignore file. The Dockerfile is not parsed: it may be written for a frontend that only the
 * builder knows.
 *
 * @throws BoxwrightError CONTEXT_NOT_FOUND, DOCKERFILE_NOT_FOUND, DOCKERFILE_TOO_LARGE, IGNORE_PATTERN
 */
export function contextFiles(request: BuildRequest): ContextFiles {
  checkContextDirectory(request.contextDir);
  const contextDir = realpathSync(request.contextDir);
  const { text, ignoreText, ignoreFile } = readDockerfile(request);
  return {
    contextDir,
    dockerfileText: typeof text === 'string' ? Buffer.from(text) : text,
    dockerfileInside: request.dockerfileText === undefined ? pathInside(contextDir, request.dockerfilePath) : undefined,
    ignoreText,
    ignore: ignoreText === undefined ? undefined : parseIgnoreFile(ignoreText, { file: ignoreFile }),
  };
}

function pathInside(contextDir: string, file: string): string | undefined {
  const path = relative(contextDir, join(realpathSync(dirname(file)), basename(file)));
  return path === '..' || path.startsWith(`..${sep}`) ? undefined : path.replaceAll(sep, '/');
}
