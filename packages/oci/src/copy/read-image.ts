import { BoxwrightError, escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import { type Descriptor, verifyBytes } from '../documents/descriptor.ts';
import type { ImageConfig } from '../documents/image-config.ts';
import { type ImageIndex, type ImageManifest, parseManifest } from '../documents/manifest.ts';
import { isImageConfigType, isIndexType } from '../documents/media-types.ts';
import { parseImageConfig } from '../documents/parse-image-config.ts';
import { hostPlatform, type Platform } from '../names/platform.ts';
import type { ImageSource } from '../places/place.ts';
import { choosePlatforms } from './choose-platforms.ts';
import { DocumentReader } from './document-reader.ts';

/** An image at any place. Layers are not read. */
export interface ReadImage {
  /** The index that the image was found in, when its descriptor named one. */
  readonly index?: ImageIndex;
  /** The manifest. */
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  /**
   * The config, read when it is first asked for.
   *
   * @throws BoxwrightError NOT_AN_IMAGE for an artifact, and what reading documents throws
   */
  config(): Promise<ImageConfig>;
}

/** How to read. */
export interface ReadImageOptions {
  /** Which image of an index; default: this machine's platform. */
  readonly platform?: Platform | undefined;
}

/** Old Docker clients pushed configs under this type. */
const untypedConfig = 'application/octet-stream';

/**
 * Reads the documents of an image: of an index, those for one platform.
 *
 * @throws BoxwrightError PLATFORM_MISSING (says which there are), and what reading documents throws
 */
export async function readImage(
  source: ImageSource,
  descriptor: Descriptor,
  { platform = hostPlatform() }: ReadImageOptions = {},
): Promise<ReadImage> {
  const documents = new DocumentReader(source);
  if (!isIndexType(descriptor.mediaType)) {
    return imageOf(
      source,
      descriptor,
      parseManifest(await documents.bytes(descriptor), { mediaType: descriptor.mediaType }),
    );
  }
  const document = await documents.document(descriptor);
  const { images } = await choosePlatforms(documents, descriptor, [platform], true);
  const [chosen] = images;
  if (chosen === undefined || document.kind !== 'index') throw new Error('an index without a chosen image');
  const manifest = parseManifest(await documents.bytes(chosen), { mediaType: chosen.mediaType });
  return { index: document, ...imageOf(source, chosen, manifest) };
}

function imageOf(source: ImageSource, descriptor: Descriptor, manifest: ImageManifest): ReadImage {
  let config: Promise<ImageConfig> | undefined;
  return {
    descriptor,
    manifest,
    config: () => {
      config ??= readConfig(source, descriptor, manifest.config);
      return config;
    },
  };
}

async function readConfig(source: ImageSource, image: Descriptor, config: Descriptor): Promise<ImageConfig> {
  if (!isImageConfigType(config.mediaType) && config.mediaType !== untypedConfig) {
    throw new BoxwrightError(
      'NOT_AN_IMAGE',
      `${image.digest} is an artifact, not a container image: its config is ${escapeForTerminal(config.mediaType)}`,
    );
  }
  const bytes = await source.readDocument(config);
  verifyBytes(bytes, config);
  try {
    return parseImageConfig(bytes);
  } catch (error) {
    if (!isBoxwrightError(error) || error.code !== 'DOCUMENT_INVALID') throw error;
    // Parsing does not know where the bytes are from.
    const message = `config ${config.digest} of ${escapeForTerminal(source.description)}: ${error.message}`;
    throw new BoxwrightError(error.code, message, { hint: error.hint, cause: error, details: error.details });
  }
}
