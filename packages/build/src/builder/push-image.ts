import { escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import {
  canonicalName,
  compressLayers,
  copyImage,
  type Descriptor,
  type Digest,
  familiarName,
  type LayerCompressionChoice,
  parseLayerCompression,
  parseReference,
  type Reference,
  registryDestination,
  storeSource,
} from '@boxwright/oci';
import type { BuildResult } from '../engine/engine.ts';
import type { EngineName } from '../engines/create-engine.ts';
import type { BuildEvent } from '../events.ts';
import { BuildPlaces, type PlaceOptions } from './build-places.ts';
import { inFamily, PushError } from './errors.ts';
import { findBuiltImage } from './find-built-image.ts';
import type { ProgressSink } from './progress-text.ts';
import { pushFromDocker } from './push-from-docker.ts';
import { parseRegistryUrl } from './registry-url.ts';
import { timestampTag } from './tags.ts';

/** How {@link pushImage} pushes. */
export interface PushImageOptions extends PlaceOptions {
  /** Default: the time (see `timestampTag`). */
  readonly tag?: string;
  readonly streamProgressTo?: ProgressSink;
  /**
   * Who has the image: the local store (the default), or the Docker Engine, which the engine `buildx` loads its images
   * into, too.
   */
  readonly engine?: EngineName;
  /** Of layers that are not compressed yet; default gzip. The store only. */
  readonly compression?: LayerCompressionChoice;
}

/** What a registry has now. */
export interface PushedImage {
  /** `registry.example.com/team/app:1.2`: what Prefect's `push_image` returns. */
  readonly reference: string;
  readonly tag: string;
  /** Digest of the manifest there; another one than in the store, since layers are compressed on their way. */
  readonly digest: Digest;
}

/**
 * Prefect's `push_image`: brings an image to a registry, under a name there. It has no more names here than before.
 *
 * @param image what `buildImage` returned, or an image id, or a name
 * @param registryUrl the registry; `http://` means plain HTTP
 * @param name repository there
 * @throws PushError with the code of what went wrong; BoxwrightError REGISTRY_URL_INVALID, REFERENCE_INVALID, IMAGE_NOT_FOUND
 */
export async function pushImage(
  image: string | Pick<BuildResult, 'imageId' | 'manifest'>,
  registryUrl: string,
  name: string,
  options: PushImageOptions = {},
): Promise<PushedImage> {
  const { signal, streamProgressTo, engine = 'embedded' } = options;
  const tag = options.tag || timestampTag();
  const { host, namespace, plainHttp } = parseRegistryUrl(registryUrl);
  const reference = parseReference(`${[host, namespace, name].filter((part) => part !== undefined).join('/')}:${tag}`);
  const log: string[] = [];
  const say = (text: string): void => {
    const line = escapeForTerminal(text);
    log.push(line);
    if (log.length > 10) log.shift();
    streamProgressTo?.write(`${line}\n`);
  };
  const shownName = familiarName(reference);
  say(`The push refers to repository [${shownName.slice(0, -tag.length - 1)}]`);
  try {
    const digest =
      engine === 'embedded'
        ? await pushFromStore(image, reference, say, {
            ...options,
            ...(plainHttp ? { insecure: options.insecure ?? [host] } : {}),
          })
        : await pushFromDocker(typeof image === 'string' ? image : image.imageId, reference, {
            ...options,
            onEvent: progress(say),
          });
    say(`${tag}: digest: ${digest}`);
    return { reference: shownName, tag, digest };
  } catch (error) {
    throw signal?.aborted === true || notPushed(error) ? error : inFamily(PushError, error, log);
  }
}

/** Nothing was tried with these. */
function notPushed(error: unknown): boolean {
  return isBoxwrightError(error) && error.code === 'IMAGE_NOT_FOUND';
}

async function pushFromStore(
  image: string | Pick<BuildResult, 'imageId' | 'manifest'>,
  reference: Reference,
  say: (text: string) => void,
  options: PushImageOptions,
): Promise<Digest> {
  const { signal, compression = parseLayerCompression('gzip') } = options;
  using places = new BuildPlaces(options);
  const descriptor: Descriptor =
    (typeof image === 'string' ? undefined : image.manifest) ??
    findBuiltImage(places.store, typeof image === 'string' ? image : image.imageId);
  const repository = { registry: reference.domain, path: reference.path };
  const destination = registryDestination(places.registries(), repository, signal === undefined ? {} : { signal });
  try {
    const source = { descriptor, names: [canonicalName(reference)] };
    const placed = await copyImage(storeSource(places.store), source, destination, {
      signal,
      ...(compression === undefined ? {} : { encodeLayer: compressLayers(places.store, compression) }),
      onEvent: (event) => {
        if (event.kind === 'finished') say(`${event.descriptor.digest}: ${event.entry.state}`);
      },
    });
    await destination.finish();
    return placed.descriptor.digest;
  } catch (error) {
    await destination.abort();
    throw error;
  }
}

/** What the engine says about layers, when it is done with one. */
function progress(say: (text: string) => void): (event: BuildEvent) => void {
  return (event) => {
    if (event.type === 'status' && event.done) say(event.name);
  };
}
