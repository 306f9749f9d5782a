import { homedir } from 'node:os';
import { isBoxwrightError } from '@boxwright/errors';
import { credentialStore, type Digest, type EngineClient, familiarName, type Reference } from '@boxwright/oci';
import { pushFromEngine } from '../engines/docker/push-image.ts';
import type { BuildEvent } from '../events.ts';
import type { PlaceOptions } from './build-places.ts';
import { dockerClient } from './docker-client.ts';

/**
 * Pushes an image that a Docker Engine has: names it, pushes that name, and takes the name away again, or gives it back
 * to the image that had it.
 *
 * @param image id or name of the image
 * @throws BoxwrightError IMAGE_NOT_FOUND, ENGINE_PUSH_FAILED, and those of the client
 */
export async function pushFromDocker(
  image: string,
  reference: Reference,
  options: PlaceOptions & { readonly onEvent: (event: BuildEvent) => void },
): Promise<Digest> {
  const { env = process.env, signal, onEvent } = options;
  const home = env['HOME'] || homedir();
  const client = dockerClient({ env, home });
  const name = familiarName(reference);
  const before = await idOf(client, name, signal);
  const repo = familiarName({ domain: reference.domain, path: reference.path });
  const named = await client.request({
    method: 'POST',
    path: `/images/${encodeURIComponent(image)}/tag`,
    query: { repo, tag: reference.tag },
    signal,
  });
  await named.discard();
  try {
    const credentials = options.credentials ?? credentialStore({ env, home });
    return await pushFromEngine(client, name, { credentials, signal, onEvent });
  } finally {
    await putBack(client, reference, before);
  }
}

/** The image that a name stands for in the engine. */
async function idOf(client: EngineClient, name: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    const response = await client.request({ method: 'GET', path: `/images/${name}/json`, signal });
    const answer = await response.json();
    return typeof answer === 'object' && answer !== null && 'Id' in answer ? String(answer.Id) : undefined;
  } catch (error) {
    if (isBoxwrightError(error) && error.code === 'ENGINE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The name as it was, also after a push that was aborted. Not being able to is no reason to fail. */
async function putBack(client: EngineClient, reference: Reference, before: string | undefined): Promise<void> {
  const { tag, ...repository } = reference;
  try {
    const response = await client.request(
      before === undefined
        ? { method: 'DELETE', path: `/images/${familiarName(reference)}`, query: { noprune: '1' } }
        : { method: 'POST', path: `/images/${before}/tag`, query: { repo: familiarName(repository), tag } },
    );
    await response.discard();
  } catch (error) {
    if (!isBoxwrightError(error)) throw error;
  }
}
