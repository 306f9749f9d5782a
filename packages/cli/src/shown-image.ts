import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import {
  checkPlatform,
  type Descriptor,
  documentLimits,
  type ImageLocation,
  type ImageSource,
  type ImageStore,
  openSource,
  type Platform,
  parseImageLocation,
  parseReference,
  type ReadImage,
  type Reference,
  readImage,
  storeSource,
  withDefaultTag,
} from '@boxwright/oci';
import type { CommandPlaces } from './command-places.ts';
import { type FoundImage, findImage } from './find-image.ts';
import { layerSizes } from './image-size.ts';
import { usualPlatform } from './present-platforms.ts';

/** An image that `inspect` and `history` show: in the store, in a registry, in an archive. Read as far as it is asked for. */
export interface ShownImage {
  /** What its name stands for: a manifest or an index. */
  readonly descriptor: Descriptor;
  /** Its names, with domain and tag or digest. */
  readonly references: readonly Reference[];
  /** Milliseconds since 1970; only the store knows. */
  readonly lastTagTime?: number;
  /** The document that its name stands for, byte for byte. */
  document(): Promise<Buffer>;
  /** The image for one platform. @throws BoxwrightError PLATFORM_MISSING and others of reading */
  read(): Promise<ReadImage>;
  /**
   * Bytes of each layer, base first: what its files take where the layers are here (the store), else the blob, since
   * layers are not fetched for this.
   */
  layerSizes(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/**
 * Finds the image that `text` names: a place with its transport (`docker://NAME`, `oci:DIR`, ...), or a bare name, which
 * is looked up in the store and then in its registry.
 *
 * @param platform of an index; default: this machine's
 * @throws BoxwrightError IMAGE_NOT_FOUND, and others of the place
 */
export async function openShownImage(
  text: string,
  platform: Platform | undefined,
  places: CommandPlaces,
): Promise<ShownImage> {
  const location = parseImageLocation(text);
  if (location.transport !== 'store') return await inPlace(location, platform, places);
  const store = places.store();
  let notInStore: BoxwrightError;
  try {
    return inStore(store, findImage(store, text), platform);
  } catch (error) {
    if (!isBoxwrightError(error) || error.code !== 'IMAGE_NOT_FOUND' || looksLikeId(text)) throw error;
    notInStore = error;
  }
  try {
    return await inPlace({ transport: 'docker', reference: text }, platform, places);
  } catch (error) {
    throw nowhere(notInStore, error);
  }
}

function inStore(store: ImageStore, { descriptor }: FoundImage, wanted: Platform | undefined): ShownImage {
  const platform = wanted ?? usualPlatform(store, descriptor);
  const tags = store.listTags().filter((tag) => tag.descriptor.digest === descriptor.digest);
  return {
    descriptor,
    references: tags.map((tag) => parseReference(tag.name)),
    ...(tags.length === 0 ? {} : { lastTagTime: Math.max(...tags.map((tag) => tag.taggedAt)) }),
    document: async () => store.readBlob(descriptor.digest, documentLimits.manifestBytes),
    read: () => readForPlatform(storeSource(store), descriptor, { wanted, usual: platform }),
    layerSizes: () => layerSizes(store, descriptor, platform),
    close: async () => {},
  };
}

async function inPlace(
  location: ImageLocation,
  platform: Platform | undefined,
  places: CommandPlaces,
): Promise<ShownImage> {
  // The manifest is what is shown, so asking a registry for its digest first would be one request too many.
  const opened = await openSource(location, places, { read: true });
  const names = location.transport === 'docker' ? [location.reference] : opened.image.names;
  const references = names.map((name) => withDefaultTag(parseReference(name)));
  return { ...fromSource(opened.source, opened.image.descriptor, references, platform), close: () => opened.close() };
}

function fromSource(
  source: ImageSource,
  descriptor: Descriptor,
  references: readonly Reference[],
  platform: Platform | undefined,
): ShownImage {
  let image: Promise<ReadImage> | undefined;
  const read = (): Promise<ReadImage> => {
    image ??= readForPlatform(source, descriptor, { wanted: platform });
    return image;
  };
  return {
    descriptor,
    references,
    document: () => source.readDocument(descriptor),
    read,
    layerSizes: async () => (await read()).manifest.layers.map(({ size }) => size),
    close: async () => {},
  };
}

/** For which platform an image is read. */
interface PlatformWish {
  /** What the command line asks for. */
  readonly wanted: Platform | undefined;
  /** What is taken of an index when it does not say; default: this machine's. */
  readonly usual?: Platform | undefined;
}

/**
 * Reads an image. Also one without an index has to be for the platform that the command line asks for.
 *
 * @throws BoxwrightError PLATFORM_MISSING, and what reading documents throws
 */
export async function readForPlatform(
  source: ImageSource,
  descriptor: Descriptor,
  { wanted, usual }: PlatformWish,
): Promise<ReadImage> {
  const image = await readImage(source, descriptor, { platform: wanted ?? usual });
  if (wanted !== undefined && image.index === undefined) checkPlatform(descriptor, await image.config(), [wanted]);
  return image;
}

/** What nobody gives an image as a name: a digest, or as many hexadecimal digits as Docker shows of an id. */
export function looksLikeId(text: string): boolean {
  return /^(?:sha256:[0-9a-f]+|[0-9a-f]{12,64})$/.test(text);
}

/** Neither here nor there: what the store lacks comes first, why the registry does not help second. */
export function nowhere(notInStore: BoxwrightError, error: unknown): unknown {
  if (!isBoxwrightError(error) || error.code === 'INTERRUPTED') return error;
  return new BoxwrightError(
    'IMAGE_NOT_FOUND',
    `${notInStore.message}, and not in its registry: ${escapeForTerminal(error.message)}`,
    {
      hint: notInStore.hint?.startsWith('Did you mean') === true ? notInStore.hint : (error.hint ?? notInStore.hint),
      cause: error,
      details: { ...notInStore.details, registry: error.code },
    },
  );
}
