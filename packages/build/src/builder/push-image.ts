import { escapeForTerminal } from '@boxwright/errors';
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
  registryDestination,
  storeSource,
} from '@boxwright/oci';
import type { BuildResult } from '../engine/engine.ts';
import { BuildPlaces, type PlaceOptions } from './build-places.ts';
import { inFamily, PushError } from './errors.ts';
import { findBuiltImage } from './find-built-image.ts';
import type { ProgressSink } from './progress-text.ts';
import { parseRegistryUrl } from './registry-url.ts';
import { timestampTag } from './tags.ts';

/** How {@link pushImage} pushes. */
export interface PushImageOptions extends PlaceOptions {
  /** Default: the time (see `timestampTag`). */
  readonly tag?: string;
  readonly streamProgressTo?: ProgressSink;
  /** Of layers that are not compressed yet; default gzip. */
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
 * Prefect's `push_image`: brings an image of the local store to a registry, under a name there. Nothing is tagged here.
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
  const { signal, streamProgressTo, compression = parseLayerCompression('gzip') } = options;
  const tag = options.tag || timestampTag();
  const { host, namespace, plainHttp } = parseRegistryUrl(registryUrl);
  const reference = parseReference(`${[host, namespace, name].filter((part) => part !== undefined).join('/')}:${tag}`);
  using places = new BuildPlaces({ ...options, ...(plainHttp ? { insecure: options.insecure ?? [host] } : {}) });
  const descriptor: Descriptor =
    (typeof image === 'string' ? undefined : image.manifest) ??
    findBuiltImage(places.store, typeof image === 'string' ? image : image.imageId);
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
      say(`${tag}: digest: ${placed.descriptor.digest} size: ${placed.descriptor.size}`);
      return { reference: shownName, tag, digest: placed.descriptor.digest };
    } catch (error) {
      await destination.abort();
      throw error;
    }
  } catch (error) {
    throw signal?.aborted === true ? error : inFamily(PushError, error, log);
  }
}
