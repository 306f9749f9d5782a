import { resolve } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { EngineClient } from '../docker-engine/engine-client.ts';
import { engineDestination, loadFromEngine } from '../docker-engine/engine-images.ts';
import { canonicalName, parseReference, type Reference, withDefaultTag } from '../names/reference.ts';
import { fileOutput } from '../places/archive-output.ts';
import {
  type DockerArchiveDestinationOptions,
  dockerArchiveDestination,
} from '../places/docker-archive-destination.ts';
import type { ImageLocation } from '../places/image-location.ts';
import { chooseImage, type ImageChoice } from '../places/layout-index.ts';
import { loadArchive } from '../places/load-archive.ts';
import { writeOciArchive } from '../places/oci-archive-writer.ts';
import { openOciLayout } from '../places/oci-layout.ts';
import { writeOciLayout } from '../places/oci-layout-writer.ts';
import { openArchive } from '../places/open-archive.ts';
import type { ImageDestination, ImageSource, PlacedImage } from '../places/place.ts';
import { storeDestination, storeSource } from '../places/store-place.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { registryDestination } from '../registry/registry-destination.ts';
import { registrySource } from '../registry/registry-source.ts';
import type { ImageStore } from '../store/store.ts';
import { findInStore } from './find-in-store.ts';

/** What places need. Each is asked for only by those that need it. */
export interface PlaceContext {
  /** The local store: images in it, and a place for what has to be kept aside. */
  store(): ImageStore;
  registries(): RegistryAccess;
  /** The Docker Engine of `docker-daemon:`; without it such places are refused. */
  engine?(): EngineClient;
  /** What relative paths are relative to. */
  readonly cwd: string;
  readonly signal?: AbortSignal | undefined;
}

/** An image and where it is read from. */
export interface OpenedSource {
  readonly source: ImageSource;
  readonly image: PlacedImage;
  readonly close: () => Promise<void>;
}

/** Where an image goes, and what it is to be called there. */
export interface OpenedDestination {
  readonly destination: ImageDestination;
  readonly names: readonly string[];
  readonly close: () => Promise<void>;
}

/** What the source is opened for. */
export interface OpenSourceOptions {
  /**
   * True where the image will be read in any case (inspect): a registry is asked for the manifest at once. Else only for
   * its digest, which is enough for a copy that has nothing to do.
   */
  readonly read?: boolean | undefined;
}

/**
 * Finds an image at any place. Archives that cannot be read in any order (piped, compressed, docker-archives with
 * compressed layers) are read into the store first, where nothing names them.
 *
 * @throws BoxwrightError IMAGE_NOT_FOUND, REGISTRY_NOT_FOUND, IMAGE_AMBIGUOUS, and those of the place
 */
export async function openSource(
  location: ImageLocation,
  context: PlaceContext,
  options: OpenSourceOptions = {},
): Promise<OpenedSource> {
  const close = async (): Promise<void> => undefined;
  switch (location.transport) {
    case 'store': {
      const store = context.store();
      return { source: storeSource(store), image: findInStore(store, location.reference), close };
    }
    case 'oci': {
      const layout = openOciLayout(resolve(context.cwd, location.path));
      return { source: layout, image: chooseImage(layout.images, location, layout.description), close };
    }
    case 'oci-archive':
    case 'docker-archive': {
      const archive = await openArchive(resolve(context.cwd, location.path));
      if (archive === undefined) return await openLoaded(location, context);
      try {
        const image = chooseImage(archive.images, location, archive.description);
        return { source: archive, image, close: async () => archive.close() };
      } catch (error) {
        archive.close();
        throw error;
      }
    }
    case 'docker':
      return { ...(await openRegistrySource(parseReference(location.reference), context, options)), close };
    case 'docker-daemon': {
      // Engines give out whole archives, which go through the store.
      const store = context.store();
      const reference = withDefaultTag(parseReference(location.reference));
      const image = await loadFromEngine(engineOf(context), reference, store, context.signal);
      return { source: storeSource(store), image, close };
    }
    default:
      return location satisfies never;
  }
}

/**
 * Opens a place to copy to. End with the destination's `finish` or `abort`, then `close`.
 *
 * @throws BoxwrightError LOCATION_INVALID where the place cannot be written to under that name, and those of the place
 */
export async function openDestination(location: ImageLocation, context: PlaceContext): Promise<OpenedDestination> {
  const close = async (): Promise<void> => undefined;
  switch (location.transport) {
    case 'store': {
      const reference = withDefaultTag(parseReference(location.reference));
      if (reference.digest !== undefined) throw notByDigest(location.reference);
      return { destination: storeDestination(context.store()), names: [canonicalName(reference)], close };
    }
    case 'oci': {
      if (location.digest !== undefined) throw notByDigest(location.path);
      return { destination: writeOciLayout(resolve(context.cwd, location.path)), names: namesOf(location), close };
    }
    case 'oci-archive': {
      if (location.digest !== undefined) throw notByDigest(location.path);
      const output = fileOutput(resolve(context.cwd, location.path));
      return { destination: writeOciArchive(output), names: namesOf(location), close };
    }
    case 'docker-archive': {
      const names = location.name === undefined ? [] : [canonicalName(withDefaultTag(parseReference(location.name)))];
      const output = fileOutput(resolve(context.cwd, location.path));
      return { destination: dockerArchiveDestination(output, archiveNeeds(context)), names, close };
    }
    case 'docker': {
      const reference = withDefaultTag(parseReference(location.reference));
      const { domain: registry, path } = reference;
      const { signal } = context;
      const destination = registryDestination(context.registries(), { registry, path }, { signal });
      return { destination, names: reference.tag === undefined ? [] : [canonicalName(tagOnly(reference))], close };
    }
    case 'docker-daemon': {
      const reference = withDefaultTag(parseReference(location.reference));
      if (reference.digest !== undefined) throw notByDigest(location.reference);
      const destination = engineDestination(engineOf(context), archiveNeeds(context));
      return { destination, names: [canonicalName(reference)], close };
    }
    default:
      return location satisfies never;
  }
}

/** Compressed layers are expanded in the store's temporary directory, which is cleared after crashes. */
function archiveNeeds(context: PlaceContext): DockerArchiveDestinationOptions {
  return { temporaryPath: () => context.store().temporaryPath('layer'), signal: context.signal };
}

/** What can only be read from its beginning to its end goes into the store first, where nothing names it. */
async function openLoaded(
  location: ImageChoice & { readonly path: string },
  context: PlaceContext,
): Promise<OpenedSource> {
  const store = context.store();
  const path = resolve(context.cwd, location.path);
  const images = await loadArchive(store, path, { choice: location, signal: context.signal });
  const image = chooseImage(images, location, escapeForTerminal(path));
  return { source: storeSource(store), image, close: async () => undefined };
}

async function openRegistrySource(
  reference: Reference,
  context: PlaceContext,
  { read = false }: OpenSourceOptions,
): Promise<Omit<OpenedSource, 'close'>> {
  const { domain: registry, path, tag, digest } = withDefaultTag(reference);
  const source = registrySource(context.registries(), { registry, path });
  // A digest says which image it is, whatever the tag beside it stands for by now.
  const wanted = digest ?? tag ?? 'latest';
  const descriptor = read ? await source.fetch(wanted) : await source.resolve(wanted);
  const name = canonicalName(tagOnly(withDefaultTag(reference)));
  if (descriptor === undefined) {
    throw new BoxwrightError('REGISTRY_NOT_FOUND', `there is no image ${canonicalName(withDefaultTag(reference))}`, {
      hint: 'boxwright tags lists what the repository has; private images need boxwright login',
      details: { registry, repository: path, reference: wanted },
    });
  }
  return { source, image: { descriptor, names: tag === undefined ? [] : [name] } };
}

function tagOnly({ domain, path, tag }: Reference): Reference {
  return { domain, path, ...(tag === undefined ? {} : { tag }) };
}

function namesOf({ name }: { readonly name?: string }): string[] {
  return name === undefined ? [] : [name];
}

function notByDigest(text: string): BoxwrightError {
  return new BoxwrightError('LOCATION_INVALID', `"${escapeForTerminal(text)}" names a digest, which cannot be chosen`, {
    hint: 'name a tag instead',
  });
}

function engineOf(context: PlaceContext): EngineClient {
  if (context.engine !== undefined) return context.engine();
  throw new BoxwrightError('LOCATION_INVALID', 'docker-daemon: cannot be used here', {
    hint: 'use docker save and docker load with docker-archive:FILE',
  });
}
