import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import {
  canonicalName,
  copyImage,
  type Descriptor,
  documentLimits,
  familiarName,
  type Image,
  type ImageSource,
  type ImageStore,
  isIndexType,
  type Platform,
  type Reference,
  type RegistryAccess,
  type RegistrySource,
  readImage,
  registrySource,
  storeDestination,
  withDigest,
} from '@boxwright/oci';
import type { BaseLayer } from '../plan/base-image.ts';
import { layerReports } from './layer-reports.ts';
import type { ProgressReporter, StepProgress } from './progress.ts';

/** How registries say that there is no such image, at least not for us. */
const absent: ReadonlySet<string> = new Set(['REGISTRY_NOT_FOUND', 'REGISTRY_UNAUTHORIZED', 'REGISTRY_DENIED']);

/** What {@link RegistryImages} works with. */
export interface RegistryImagesOptions {
  readonly store: ImageStore;
  readonly access: () => RegistryAccess;
  readonly signal?: AbortSignal | undefined;
  /** The store was not asked: `--pull`. */
  readonly pull: boolean;
  /** The name in the store that is most like a name, as people write it. */
  readonly near: (canonical: string) => string | undefined;
  /** Absent where nobody watches. */
  readonly reporter?: ProgressReporter | undefined;
}

/** An image whose documents are in the store and whose layers may not be. */
interface PendingImage {
  readonly source: RegistrySource;
  /** What its name stands for: an image or an index. */
  readonly top: Descriptor;
  readonly name: string;
  readonly platform: Platform;
  fetching: Promise<void> | undefined;
}

/**
 * Base images from registries. Planning a build needs their documents, which are brought at once; layers come when a stage
 * starts, beside those of other stages, and not at all for a stage that nobody needs.
 */
export class RegistryImages {
  readonly #options: RegistryImagesOptions;
  readonly #resolved = new Map<string, Promise<Image>>();
  /** By {@link layersKey}. */
  readonly #pending = new Map<string, PendingImage>();

  constructor(options: RegistryImagesOptions) {
    this.#options = options;
  }

  /**
   * Looks an image up in its registry and brings manifest and config into the store.
   *
   * @throws BoxwrightError IMAGE_NOT_FOUND when the registry has it not; what asking registries throws, PLATFORM_MISSING
   */
  resolve(reference: Reference, platform: Platform): Promise<Image> {
    const key = JSON.stringify([canonicalName(reference), platform]);
    const resolving = this.#resolved.get(key) ?? this.#resolve(reference, platform);
    this.#resolved.set(key, resolving);
    return resolving;
  }

  /**
   * Brings the layers that are not in the store and gives the image its name there.
   *
   * @param step shows how far it is
   * @returns false when there was nothing to bring
   */
  async bring(layers: readonly BaseLayer[], step: StepProgress | undefined, signal: AbortSignal): Promise<boolean> {
    const image = this.#pending.get(layersKey(layers.map(({ descriptor }) => descriptor)));
    if (image === undefined) return false;
    // Stages may share it: the first one brings it.
    image.fetching ??= this.#fetch(image, step, signal);
    await image.fetching;
    return true;
  }

  async #resolve(reference: Reference, platform: Platform): Promise<Image> {
    const { reporter } = this.#options;
    const name = canonicalName(reference);
    const work = async (): Promise<Image> => {
      try {
        return await this.#documents(reference, platform);
      } catch (error) {
        throw this.#unavailable(reference, error);
      }
    };
    return reporter === undefined ? await work() : await reporter.during(`[internal] load metadata for ${name}`, work);
  }

  /** Says that the image is not in the store either: whoever is offline should know what would have been enough. */
  #unavailable(reference: Reference, error: unknown): unknown {
    if (!isBoxwrightError(error) || !error.code.startsWith('REGISTRY_')) return error;
    const { pull, near } = this.#options;
    const name = familiarName(reference);
    const place = pull
      ? 'cannot be had from its registry'
      : 'is not in the local store, and cannot be had from its registry';
    const similar = pull ? undefined : near(canonicalName(reference));
    const hint = error.hint ?? `Bring it into the local store with 'boxwright load' or 'boxwright import'.`;
    return new BoxwrightError(
      absent.has(error.code) ? 'IMAGE_NOT_FOUND' : error.code,
      `image ${escapeForTerminal(name)} ${place}: ${error.message}`,
      {
        hint: similar === undefined ? hint : `Did you mean ${similar}? Otherwise: ${hint}`,
        cause: error,
        details: { ...error.details, reference: canonicalName(reference) },
      },
    );
  }

  async #documents(reference: Reference, platform: Platform): Promise<Image> {
    const { store, access, signal } = this.#options;
    const source = registrySource(access(), { registry: reference.domain, path: reference.path });
    const tag = reference.digest ?? reference.tag ?? 'latest';
    // By HEAD, which is no pull to registries that count those: often the store has the rest.
    const top = await source.resolve(tag);
    if (top === undefined) {
      throw new BoxwrightError('REGISTRY_NOT_FOUND', `${familiarName(reference)} is not in its registry`);
    }
    signal?.throwIfAborted();
    const read = await readImage(storeFirst(store, source), top, { platform });
    await read.config();
    for (const descriptor of [read.descriptor, read.manifest.config]) {
      if (!store.hasBlob(descriptor.digest)) await this.#keep(descriptor, await source.readDocument(descriptor));
    }
    const name = storedName(reference);
    const { layers } = read.manifest;
    const isHere = store.resolve(name)?.digest === top.digest && layers.every(({ digest }) => store.hasBlob(digest));
    if (!isHere) this.#pending.set(layersKey(layers), { source, top, name, platform, fetching: undefined });
    return store.image(read.descriptor, platform);
  }

  async #keep(descriptor: Descriptor, bytes: Buffer): Promise<void> {
    const destination = storeDestination(this.#options.store);
    await destination.writeManifest(descriptor, bytes);
  }

  async #fetch(image: PendingImage, step: StepProgress | undefined, signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const destination = storeDestination(store);
    // A base without an index is taken also when it is for another platform, as BuildKit does.
    const isIndex = isIndexType(image.top.mediaType);
    try {
      await copyImage(image.source, { descriptor: image.top, names: [image.name] }, destination, {
        ...(isIndex ? { policy: 'sparse' as const, platforms: [image.platform] } : {}),
        signal,
        ...(step === undefined ? {} : { onEvent: layerReports(step) }),
      });
      await destination.finish();
    } catch (error) {
      await destination.abort();
      throw error;
    }
  }
}

function layersKey(layers: readonly Descriptor[]): string {
  return layers.map(({ digest }) => digest).join();
}

/** Reads documents from the store where it has them, else from the registry. */
function storeFirst(store: ImageStore, source: RegistrySource): ImageSource {
  return {
    ...source,
    readDocument: async (descriptor) =>
      store.blobSize(descriptor.digest) === descriptor.size
        ? store.readBlob(descriptor.digest, documentLimits.configBytes)
        : await source.readDocument(descriptor),
  };
}

/** A digest wins over the tag beside it, which may stand for something else by now. */
function storedName(reference: Reference): string {
  return canonicalName(reference.digest === undefined ? reference : withDigest(reference, reference.digest));
}
