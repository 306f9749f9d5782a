import { PassThrough } from 'node:stream';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Digest } from '../names/digest.ts';
import { familiarName, type Reference, withDefaultTag } from '../names/reference.ts';
import { type ArchiveOutput, streamOutput } from '../places/archive-output.ts';
import {
  type DockerArchiveDestinationOptions,
  dockerArchiveDestination,
} from '../places/docker-archive-destination.ts';
import { loadArchive } from '../places/load-archive.ts';
import type { ImageDestination, PlacedImage } from '../places/place.ts';
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
 * An engine to copy to. Engines take archives only: one is sent while it is written, from the first layer on. What the
 * engine says about it comes when the copy is finished.
 */
export function engineDestination(engine: EngineClient, options: DockerArchiveDestinationOptions): ImageDestination {
  return dockerArchiveDestination(engineOutput(engine, options.signal), options);
}

function engineOutput(engine: EngineClient, signal: AbortSignal | undefined): ArchiveOutput {
  const description = `the Docker Engine at ${escapeForTerminal(engine.address.text)}`;
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
  const output = streamOutput(stream, description);
  let loading: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  /** What the engine said tells more than that it does not take any more. */
  const orFailure = async (work: () => Promise<void> | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw failure === undefined ? error : failure.error;
    }
    if (failure !== undefined) throw failure.error;
  };
  return {
    description,
    write: (chunk) => {
      loading ??= load(engine, stream, signal).then(
        // Whoever still writes has to hear that nobody reads.
        () => void (stream.writableEnded || stream.destroy()),
        (error: unknown) => {
          failure = { error };
          stream.destroy();
        },
      );
      if (failure !== undefined) throw failure.error;
      output.write(chunk);
    },
    drain: () => orFailure(() => output.drain()),
    finish: () =>
      orFailure(async () => {
        await output.finish();
        stream.end();
        await loading;
      }),
    abort: async () => {
      // Ends the request in the middle: an engine makes no image of half an archive.
      stream.destroy(new Error('the archive could not be written'));
      await loading;
    },
  };
}

async function load(engine: EngineClient, stream: PassThrough, signal: AbortSignal | undefined): Promise<void> {
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
}
