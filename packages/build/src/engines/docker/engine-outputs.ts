import { BoxwrightError } from '@boxwright/errors';
import { type CredentialStore, type Digest, type EngineClient, loadFromEngine } from '@boxwright/oci';
import { writeOutput } from '../../commit/outputs.ts';
import type { BuildRequest } from '../../engine/engine.ts';
import { ProgressReporter } from '../../engine/progress.ts';
import type { RetryPolicy } from '../retry.ts';
import { pushFromEngine } from './push-image.ts';

/** An image in an engine, and what is wanted of it. */
export interface EngineOutputs {
  readonly client: EngineClient;
  readonly credentials: CredentialStore;
  readonly request: BuildRequest;
  readonly names: readonly string[];
  readonly imageId: Digest;
  readonly retry: Omit<RetryPolicy, 'signal'> | undefined;
}

/**
 * Pushes the image, by the engine, and brings it here where files are to be written; layers that the store has are not
 * written again.
 *
 * @returns the digest that was pushed, where one was
 * @throws BoxwrightError PUSH_WITHOUT_NAME, ENGINE_PUSH_FAILED, and those of the client
 */
export async function writeOutputs(outputs: EngineOutputs): Promise<Digest | undefined> {
  const { client, credentials, request, names, imageId, retry } = outputs;
  const { signal, onEvent } = request;
  const isPushed = request.outputs.some((output) => output.type === 'image' && output.push !== undefined);
  const written = request.outputs.filter((output) => output.type !== 'image');
  let digest: Digest | undefined;
  if (isPushed && names.length === 0) {
    throw new BoxwrightError('PUSH_WITHOUT_NAME', 'the image has no name to push it by', {
      hint: 'Give it one: --tag REGISTRY/NAME:TAG, or name=… of the output.',
    });
  }
  // One after the other: after a failure no further name is pushed.
  for (const name of isPushed ? names : []) {
    digest = await pushFromEngine(client, name, { credentials, signal, onEvent, retry });
  }
  if (written.length === 0) return digest;
  const { store } = request;
  await new ProgressReporter(onEvent).during('exporting from the Docker Engine', async (step) => {
    const { descriptor } = await loadFromEngine(client, imageId, store, signal);
    const place = { store, signal: signal ?? new AbortController().signal };
    for (const output of written) await writeOutput(place, { manifest: descriptor }, output, names, step);
  });
  return digest;
}
