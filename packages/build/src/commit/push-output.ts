import { BoxwrightError } from '@boxwright/errors';
import {
  compressLayers,
  copyImage,
  type Descriptor,
  parseReference,
  registryDestination,
  storeSource,
} from '@boxwright/oci';
import type { PushOptions } from '../engine/engine.ts';
import { layerReports } from '../engine/layer-reports.ts';
import type { StepProgress } from '../engine/progress.ts';
import type { BuildSession } from '../engine/session.ts';
import type { CommittedImage } from './commit-image.ts';

/**
 * Brings a finished image to the registries of its names, layers compressed on the way.
 *
 * @returns what the names stand for there: another manifest than in the store, since the layers are compressed
 * @throws BoxwrightError PUSH_WITHOUT_NAME, and those of registries
 */
export async function pushImage(
  { request, store, signal }: BuildSession,
  image: CommittedImage,
  { compression }: PushOptions,
  names: readonly string[],
  step: StepProgress,
): Promise<Descriptor> {
  const { registries } = request;
  if (registries === undefined || names.length === 0) {
    throw new BoxwrightError('PUSH_WITHOUT_NAME', 'the image has no name to push it by', {
      hint: 'Give it one: --tag REGISTRY/NAME:TAG, or name=… of the output.',
    });
  }
  let pushed = image.manifest;
  for (const name of names) {
    const { domain: registry, path } = parseReference(name);
    const destination = registryDestination(registries(), { registry, path }, { signal });
    try {
      const placed = await copyImage(storeSource(store), { descriptor: image.manifest, names: [name] }, destination, {
        signal,
        onEvent: layerReports(step, 'pushing '),
        ...(compression === undefined ? {} : { encodeLayer: compressLayers(store, compression) }),
      });
      await destination.finish();
      pushed = placed.descriptor;
    } catch (error) {
      await destination.abort();
      throw error;
    }
    step.status(`pushing manifest for ${name}@${pushed.digest}`, 1, 1, 'files', true);
  }
  return pushed;
}
