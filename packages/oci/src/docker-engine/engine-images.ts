import { PassThrough } from 'node:stream';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Digest } from '../names/digest.ts';
import type { Platform } from '../names/platform.ts';
import { familiarName, type Reference, withDefaultTag } from '../names/reference.ts';
import { streamOutput } from '../places/archive-output.ts';
import { saveDockerArchive } from '../places/docker-archive-writer.ts';
import { loadArchive } from '../places/load-archive.ts';
import type { ImageDestination, PlacedImage } from '../places/place.ts';
import { stagedDestination } from '../places/staged-destination.ts';
import type { ImageStore } from '../store/store.ts';
import type { EngineClient } from './engine-client.ts';
import { engineEvents } from './engine-events.ts';

/**
 * Brings an image of an engine into the store: engines hand images out as one archive only. Layers that the store has
 * are not written again. It is not tagged.
 *
 * @param reference a name, or an image id
 * @throws BoxwrightError IMAGE_NOT_FOUND, those of the client and of {@link loadArchive}
 */
export async function loadFromEngine(
  engine: EngineClient,
  reference: Reference | Digest,
  store: ImageStore,
  signal?: AbortSignal,
): Promise<PlacedImage> {
  const name = typeof reference === 'string' ? reference : familiarName(withDefaultTag(reference));
  const images = await loadArchive(store, await savedImage(engine, name, signal), { signal });
  const [image] = images;
  if (image === undefined) {
    throw new BoxwrightError(
      'ENGINE_ANSWER_INVALID',
      `the Docker Engine's archive of ${escapeForTerminal(name)} holds no image`,
    );
  }
  return image;
}

async function savedImage(
  engine: EngineClient,
  name: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    // Asked first: for an image that is not there some engines begin an archive and break it off.
    const found = await engine.request({ method: 'GET', path: `/images/${encodeURI(name)}/json`, signal });
    await found.discard();
    return (await engine.request({ method: 'GET', path: '/images/get', query: { names: name }, signal })).body;
  } catch (error) {
    if (!(error instanceof BoxwrightError) || error.code !== 'ENGINE_NOT_FOUND') throw error;
    throw new BoxwrightError(
      'IMAGE_NOT_FOUND',
      `the Docker Engine at ${escapeForTerminal(engine.address.text)} has no image ${escapeForTerminal(name)}`,
      {
        hint: '`docker images` lists what it has',
        cause: error,
      },
    );
  }
}

/**
 * An engine to copy to. Engines take archives only, whose names come last: the image goes through the store (content
 * that is there is not copied) and is streamed to the engine when the copy is finished.
 */
export function engineDestination(
  engine: EngineClient,
  store: ImageStore,
  options: { readonly platform?: Platform | undefined; readonly signal?: AbortSignal | undefined } = {},
): ImageDestination {
  return stagedDestination(store, {
    description: `Docker Engine at ${engine.address.text}`,
    write: (images) => loadIntoEngine(engine, store, images, options),
  });
}

async function loadIntoEngine(
  engine: EngineClient,
  store: ImageStore,
  images: readonly PlacedImage[],
  { platform, signal }: { readonly platform?: Platform | undefined; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
  let failure: { readonly error: unknown } | undefined;
  const saved = saveDockerArchive(store, images, streamOutput(stream, 'the Docker Engine'), { platform, signal }).then(
    () => stream.end(),
    (error: unknown) => {
      failure = { error };
      stream.destroy(new Error('the archive could not be written'));
    },
  );
  try {
    const body = { bytes: stream, type: 'application/x-tar' };
    const response = await engine.request({
      method: 'POST',
      path: '/images/load',
      query: { quiet: '1' },
      body,
      signal,
    });
    for await (const { error } of engineEvents(response.body)) {
      if (error !== undefined)
        throw new BoxwrightError('ENGINE_FAILED', `the Docker Engine says: ${escapeForTerminal(error)}`);
    }
  } catch (error) {
    // What kept the archive from being written says more than that the request broke off.
    throw failure === undefined ? error : failure.error;
  } finally {
    stream.destroy();
    await saved;
  }
}
