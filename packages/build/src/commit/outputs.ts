import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { canonicalName, type Descriptor, parseReference, unpackLayer, withDefaultTag } from '@boxwright/oci';
import { packTree } from '../copy/pack-tree.ts';
import type { BuildOutput } from '../engine/engine.ts';
import type { StepProgress } from '../engine/progress.ts';
import type { BuildSession } from '../engine/session.ts';
import type { CommittedImage } from './commit-image.ts';

/**
 * Names the image and writes what `--output` asks for.
 *
 * @returns the manifest that was pushed, where one was
 */
export async function completeOutputs(
  session: BuildSession,
  image: CommittedImage,
  step: StepProgress,
): Promise<Descriptor | undefined> {
  const { request, store } = session;
  const names = request.tags.map((tag) => canonicalName(withDefaultTag(parseReference(tag))));
  for (const name of names) {
    store.tag(name, image.manifest);
    step.status(`naming to ${name}`, 1, 1, 'files', true);
  }
  // Without a name the image is kept by its digest alone until it is pruned.
  let pushed: Descriptor | undefined;
  for (const output of request.outputs) {
    if (output.type === 'image' && output.push !== undefined) {
      const { pushImage } = await import('./push-output.ts');
      pushed = await pushImage(session, image, output.push, names, step);
    } else await writeOutput(session, image, output, names, step);
  }
  return pushed;
}

/** What writing files needs. */
export type OutputPlace = Pick<BuildSession, 'store' | 'signal'>;

/** Writes the files of one output; `image` in it says nothing to do. */
export async function writeOutput(
  session: OutputPlace,
  image: Pick<CommittedImage, 'manifest'>,
  output: BuildOutput,
  names: readonly string[],
  step: StepProgress,
): Promise<void> {
  switch (output.type) {
    case 'image':
      return;
    case 'oci':
    case 'docker': {
      const { exportToPlace } = await import('./place-output.ts');
      await exportToPlace(session.store, image.manifest, output, names, session.signal);
      step.status(`writing ${output.dest}`, 1, 1, 'files', true);
      return;
    }
    case 'tar':
      await writeTar(session, image, output.dest);
      step.status(`writing ${output.dest}`, 1, 1, 'files', true);
      return;
    case 'local':
      await writeDirectory(session, image, output.dest);
      step.status(`copying files to ${output.dest}`, 1, 1, 'files', true);
      return;
    default:
      return output satisfies never;
  }
}

/** The flattened file system as a tar; `-` is standard output. */
async function writeTar(session: OutputPlace, image: Pick<CommittedImage, 'manifest'>, dest: string): Promise<void> {
  const tars = await layerTars(session, image);
  if (dest === '-') {
    packTree(tars, (chunk) => writeAll(1, chunk));
    return;
  }
  mkdirSync(dirname(dest), { recursive: true });
  const temporary = `${dest}.${process.pid}.tmp`;
  const descriptor = openSync(temporary, 'wx', 0o644);
  try {
    try {
      packTree(tars, (chunk) => writeAll(descriptor, chunk));
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, dest);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The flattened file system as files; owners are kept as root only. */
async function writeDirectory(
  session: OutputPlace,
  image: Pick<CommittedImage, 'manifest'>,
  dest: string,
): Promise<void> {
  mkdirSync(dest, { recursive: true });
  const isRoot = process.getuid?.() === 0;
  if (readdirSync(dest).length > 0) return copyInto(session, image, dest);
  for (const tar of await layerTars(session, image)) unpackInto(tar, dest, isRoot);
}

function unpackInto(tar: string, dest: string, isRoot: boolean): void {
  const descriptor = openSync(tar, 'r');
  try {
    unpackLayer(descriptor, dest, { whiteouts: 'apply', owners: isRoot ? 'keep' : 'ignore', devices: 'skip' });
  } finally {
    closeSync(descriptor);
  }
}

/** Files that are there already stay unless the image has one of that name, as with buildx: no whiteout may touch them. */
async function copyInto(session: OutputPlace, image: Pick<CommittedImage, 'manifest'>, dest: string): Promise<void> {
  const flat = session.store.temporaryPath('flat');
  await writeTar(session, image, flat);
  try {
    unpackInto(flat, dest, process.getuid?.() === 0);
  } finally {
    rmSync(flat, { force: true });
  }
}

async function layerTars(session: OutputPlace, image: Pick<CommittedImage, 'manifest'>): Promise<readonly string[]> {
  const layers = session.store.image(image.manifest).layers();
  return Promise.all(
    layers.map(({ descriptor, diffId }) => session.store.layerTar(descriptor, diffId, session.signal)),
  );
}

function writeAll(descriptor: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done, chunk.length - done);
}
