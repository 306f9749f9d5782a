import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { detectCompression } from '../compress/detect-compression.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { descriptorOf } from '../documents/descriptor.ts';
import { Fields } from '../documents/fields.ts';
import { isJsonObject } from '../documents/json.ts';
import { parseJson } from '../documents/json-parser.ts';
import { documentLimits } from '../documents/limits.ts';
import { layerMediaType, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../documents/media-types.ts';
import { parseImageConfig } from '../documents/parse-image-config.ts';
import { serializeManifest } from '../documents/serialize.ts';
import type { Digest } from '../names/digest.ts';
import { canonicalName, parseReference, withDefaultTag } from '../names/reference.ts';
import type { ImageStore } from '../store/store.ts';
import type { ArchiveContents, ArchivedFile } from './archive-contents.ts';
import type { PlacedImage } from './place.ts';

/** One image of a `manifest.json`, as `docker save` writes it (moby/image/tarexport). */
export interface DockerArchiveImage {
  /** Paths inside the archive. */
  readonly config: string;
  readonly layers: readonly string[];
  /** Canonical names. */
  readonly names: readonly string[];
}

/** The files of an archive, wherever they are read from. */
export interface ArchiveFiles<File extends SmallFile> {
  /** For messages. */
  readonly description: string;
  /** By path, links followed. */
  file(path: string): File | undefined;
}

interface SmallFile {
  /** The whole content of a small file. @throws BoxwrightError DOCUMENT_TOO_LARGE */
  read(limit: number): Buffer;
}

/** A registry host full of images would fit. */
const maxImages = 10_000;
const manifestLimit = 32 * 1024 * 1024;

/**
 * Reads `manifest.json`, or undefined when the archive has none.
 *
 * @throws BoxwrightError ARCHIVE_INVALID, DOCUMENT_INVALID
 */
export function readDockerManifest(contents: ArchiveFiles<SmallFile>): readonly DockerArchiveImage[] | undefined {
  const bytes = contents.file('manifest.json')?.read(manifestLimit);
  if (bytes === undefined) return undefined;
  const where = `manifest.json of ${contents.description}`;
  let rows: unknown;
  try {
    rows = parseJson(bytes, { duplicateKeys: 'refuse', maxDepth: documentLimits.jsonDepth });
  } catch (error) {
    throw archiveInvalid(`${where} is not valid JSON`, error);
  }
  if (!Array.isArray(rows) || rows.length > maxImages) throw archiveInvalid(`${where} is not a list of images`);
  return rows.map((row: unknown) => {
    if (!(row instanceof Map) || !isJsonObject(row)) throw archiveInvalid(`${where} is not a list of images`);
    const fields = new Fields(where, row);
    const layers = fields.strings('Layers');
    if (layers.length > documentLimits.layers)
      throw archiveInvalid(`${where} names more than ${documentLimits.layers} layers`);
    return { config: fields.string('Config'), layers, names: fields.strings('RepoTags').map(canonical) };
  });
}

function canonical(name: string): string {
  return canonicalName(withDefaultTag(parseReference(name)));
}

/**
 * Puts one image of a docker-archive into the store. The config stays byte for byte, so the image keeps its ID; the
 * manifest, which such archives do not have, is written anew. Every layer is checked against its diffID.
 *
 * @throws BoxwrightError ARCHIVE_INVALID (a named file is missing), LAYER_INVALID, and others of reading documents
 */
export async function loadDockerImage(
  store: ImageStore,
  contents: ArchiveContents,
  image: DockerArchiveImage,
  signal?: AbortSignal,
): Promise<PlacedImage> {
  const configFile = requiredFile(contents, image.config, 'config');
  const configBytes = configFile.read(documentLimits.configBytes);
  const layers: Descriptor[] = [];
  for (const { file, diffId, path } of layersOfDockerImage(contents, image, configBytes)) {
    layers.push(await loadLayer(store, file, diffId, `${path} of ${contents.description}`, signal));
  }
  configFile.commit();
  const config = descriptorOf(configBytes, OCI_CONFIG);
  const manifest = serializeManifest({ config, layers });
  const writer = store.createBlob();
  writer.write(manifest);
  writer.commit();
  return { descriptor: descriptorOf(manifest, OCI_MANIFEST), names: image.names };
}

/**
 * The files of an image's layers, base first, with the diffIDs that the config gives them.
 *
 * @throws BoxwrightError ARCHIVE_INVALID (one is missing, or their number is another), and what reading a config throws
 */
export function layersOfDockerImage<File extends SmallFile>(
  contents: ArchiveFiles<File>,
  image: DockerArchiveImage,
  configBytes: Buffer,
): { readonly file: File; readonly diffId: Digest; readonly path: string }[] {
  const { diffIds } = parseImageConfig(configBytes).rootfs;
  if (diffIds.length !== image.layers.length) {
    throw archiveInvalid(
      `${contents.description} names ${image.layers.length} layers for an image whose config has ${diffIds.length}`,
    );
  }
  return diffIds.map((diffId, index) => {
    const path = image.layers[index] ?? '';
    return { file: requiredFile(contents, path, 'layer'), diffId, path };
  });
}

/** Layers are plain in what Docker writes; other tools leave them compressed, which `docker load` takes too. */
async function loadLayer(
  store: ImageStore,
  file: ArchivedFile,
  diffId: Digest,
  where: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const { digest, size } = file;
  file.commit();
  if (digest === diffId) return { mediaType: OCI_LAYER, digest, size };
  const compression = compressionOfBlob(store, digest);
  if (compression !== 'gzip' && compression !== 'zstd') {
    throw new BoxwrightError(
      'LAYER_INVALID',
      `layer ${escapeForTerminal(where)} is ${digest}, the config says ${diffId}`,
      {
        hint: 'the archive is damaged: fetch or make it again',
        details: { digest, diffId },
      },
    );
  }
  const descriptor: Descriptor = { mediaType: layerMediaType('oci', compression), digest, size };
  await store.layerTar(descriptor, diffId, signal);
  return descriptor;
}

function compressionOfBlob(store: ImageStore, digest: Digest): ReturnType<typeof detectCompression> {
  const pieces = store.blobPieces(digest);
  const first = pieces.next();
  const kind = detectCompression(first.done === true ? new Uint8Array() : first.value);
  pieces.return();
  return kind;
}

/** A file that has to be there. @throws BoxwrightError ARCHIVE_INVALID */
export function requiredFile<File extends SmallFile>(contents: ArchiveFiles<File>, path: string, what: string): File {
  const file = contents.file(path);
  if (file !== undefined) return file;
  throw archiveInvalid(`${contents.description} lacks the ${what} "${escapeForTerminal(path.slice(0, 300))}"`);
}

/** The error for an archive that contradicts itself. */
export function archiveInvalid(message: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('ARCHIVE_INVALID', message, {
    hint: 'the archive is damaged or not an image archive: fetch or make it again',
    cause,
  });
}
