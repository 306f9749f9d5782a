import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import {
  type DockerfileSubject,
  dockerfileText,
  dockerfileTitle,
  type ExtractedContext,
  type ExtractionReport,
  extractContext,
  type ReconstructedDockerfile,
} from '@boxwright/inspect';
import { type ImageLayer, type ImageSource, writeOciLayout } from '@boxwright/oci';
import { shorterPath } from '../shorter-path.ts';
import { type BaseImage, placeBase } from './base-image.ts';

/** What is laid out, and where. */
export interface LayOutRequest {
  readonly subject: DockerfileSubject;
  readonly dockerfile: ReconstructedDockerfile;
  readonly layers: readonly ImageLayer[];
  readonly source: ImageSource;
  /** Absolute; new or empty. */
  readonly directory: string;
  /** Placed beside the files where nobody else has it. */
  readonly base?: BaseImage;
  /** What is written of the Dockerfile: without secrets, unless they are asked for. */
  readonly shown: (dockerfile: ReconstructedDockerfile) => ReconstructedDockerfile;
  readonly signal: AbortSignal;
}

/** A directory that builds. */
export interface LaidOut extends ExtractedContext {
  readonly dockerfilePath: string;
  /** The OCI layout with the base, when it was placed. */
  readonly baseDir?: string;
}

/**
 * Writes the Dockerfile with all that it needs into a directory: `Dockerfile`, `context/`, `lost-N/`, and `base/`, the base
 * image as an OCI layout.
 *
 * @throws BoxwrightError TARGET_NOT_EMPTY, TARGET_NOT_A_DIRECTORY, and as reading layers
 */
export async function layOut(request: LayOutRequest): Promise<LaidOut> {
  const { directory, dockerfile, subject, base, signal } = request;
  prepareDirectory(directory);
  const extracted = await extractContext({ ...request, directory });
  const dockerfilePath = join(directory, 'Dockerfile');
  writeFileSync(
    dockerfilePath,
    dockerfileText(request.shown(extracted.dockerfile), { title: dockerfileTitle(subject) }),
  );
  if (base === undefined) return { ...extracted, dockerfilePath };
  const baseDir = join(directory, 'base');
  await placeBase(base, dockerfile.base.name, writeOciLayout(baseDir), signal);
  return { ...extracted, dockerfilePath, baseDir };
}

/** What there is to say about it: the command that builds it from the working directory. */
export function extractionReport(laidOut: LaidOut, request: LayOutRequest, cwd: string): ExtractionReport {
  const { dockerfile, contexts, contextDir, dockerfilePath, baseDir, findings } = laidOut;
  const contextFlags = [...contexts].map(([name, path]) => `--build-context=${name}=${shorterPath(path, cwd)}`);
  const baseFlags =
    baseDir === undefined ? [] : [`--build-context=${dockerfile.base.name}=oci-layout://${shorterPath(baseDir, cwd)}`];
  const labels = dockerfile.buildLabels.map(({ name, value = '' }) => `--label=${name}=${value}`);
  const platform = `--platform=${request.subject.platform}`;
  const command = [
    'boxwright',
    'build',
    '-f',
    shorterPath(dockerfilePath, cwd),
    platform,
    ...baseFlags,
    ...contextFlags,
  ];
  return { directory: request.directory, command: [...command, ...labels, shorterPath(contextDir, cwd)], findings };
}

function prepareDirectory(directory: string): void {
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) {
    mkdirSync(directory, { recursive: true });
    return;
  }
  if (!stats.isDirectory()) {
    throw new BoxwrightError('TARGET_NOT_A_DIRECTORY', `${escapeForTerminal(directory)} is not a directory`);
  }
  if (readdirSync(directory).length > 0) {
    throw new BoxwrightError('TARGET_NOT_EMPTY', `${escapeForTerminal(directory)} is not empty`, {
      hint: 'Name a new directory.',
    });
  }
}
