import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Descriptor } from '../documents/descriptor.ts';
import { isIndexType, isManifestType } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import { isTag, parseReference } from '../names/reference.ts';
import type { ImageDestination, PlacedImage } from '../places/place.ts';
import type { RegistryAccess } from './access.ts';
import type { Repository, RequestOptions } from './client/index.ts';
import { type RepositoryName, repositoryKey } from './repository-name.ts';
import { type BlobReceipt, type BlobUploader, createBlobUploader } from './upload/index.ts';

/** How to write to a repository. */
export interface RegistryDestinationOptions {
  /** Tags that the image gets. None, and no names of the repository on the image: it is stored under its digest only. */
  readonly tags?: readonly string[];
  /** Whether an index may be pushed although parts of it are missing: many registries refuse that. */
  readonly takesPartialIndexes?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A repository to copy to. */
export interface RegistryDestination extends ImageDestination {
  readonly repository: RepositoryName;
  readonly client: Repository;
  resolve(name: string): Promise<Descriptor | undefined>;
  mountBlob(descriptor: Descriptor, from: RepositoryName): Promise<boolean>;
  writeBlob(...parameters: Parameters<BlobUploader['upload']>): Promise<BlobReceipt>;
  writeStream(...parameters: Parameters<BlobUploader['uploadStream']>): Promise<BlobReceipt>;
}

/**
 * Opens a repository for writing. Nothing is asked for yet.
 *
 * What is written is there at once: only tags make it an image, and they come last, after all that they stand for is
 * confirmed (threats R9). So there is nothing to finish, and nothing to undo.
 */
export function registryDestination(
  access: RegistryAccess,
  name: RepositoryName,
  options: RegistryDestinationOptions = {},
): RegistryDestination {
  return new Destination(access, name, options);
}

class Destination implements RegistryDestination {
  readonly description: string;
  readonly takesPartialIndexes: boolean;
  readonly repository: RepositoryName;
  readonly client: Repository;
  readonly concurrency: number;
  readonly #uploader: BlobUploader;
  readonly #tags: readonly string[];
  readonly #request: RequestOptions;
  /** Sizes of what the registry is known to have: it answered so, or took it. */
  readonly #there = new Map<Digest, number>();

  constructor(access: RegistryAccess, name: RepositoryName, options: RegistryDestinationOptions) {
    const { signal, tags = [], takesPartialIndexes = false } = options;
    this.description = `registry ${repositoryKey(name)}`;
    this.takesPartialIndexes = takesPartialIndexes;
    this.repository = name;
    this.client = access.repository(name);
    this.concurrency = access.registries.concurrency(name.registry);
    this.#uploader = createBlobUploader({
      registries: access.registries,
      repository: name,
      journalDirectory: access.journalDirectory,
      signal,
    });
    this.#tags = tags;
    this.#request = { signal };
  }

  /** Asks once for each: what was there stays there for as long as a copy takes. */
  async has({ digest, size, mediaType }: Descriptor): Promise<boolean> {
    const known = this.#there.get(digest);
    if (known !== undefined) return known === size;
    const found = isManifest(mediaType)
      ? (await this.client.resolve(digest, this.#request))?.size
      : await this.client.blobSize(digest, this.#request);
    if (found !== undefined) this.#there.set(digest, found);
    return found === size;
  }

  async resolve(name: string): Promise<Descriptor | undefined> {
    const tag = this.#tagIn(name) ?? name;
    const descriptor = await this.client.resolve(tag, this.#request);
    if (descriptor !== undefined) this.#there.set(descriptor.digest, descriptor.size);
    return descriptor;
  }

  /** A registry that does not mount opens an upload instead: that one is used then. */
  async mountBlob({ digest, size }: Descriptor, from: RepositoryName): Promise<boolean> {
    const answer = await this.client.mountBlob(digest, from, this.#request);
    if (answer.mounted) this.#there.set(digest, size);
    else if (answer.upload !== undefined) await this.#uploader.adopt(digest, answer.upload);
    return answer.mounted;
  }

  async writeBlob(...parameters: Parameters<BlobUploader['upload']>): Promise<BlobReceipt> {
    return this.#keep(await this.#uploader.upload(...parameters));
  }

  async writeStream(...parameters: Parameters<BlobUploader['uploadStream']>): Promise<BlobReceipt> {
    return this.#keep(await this.#uploader.uploadStream(...parameters));
  }

  async writeManifest({ digest, size, mediaType }: Descriptor, bytes: Buffer): Promise<void> {
    await this.client.putManifest(digest, bytes, mediaType, this.#request);
    this.#there.set(digest, size);
  }

  async place(image: PlacedImage, bytes: Buffer): Promise<void> {
    const { descriptor } = image;
    const tags = this.#tagsOf(image);
    if (tags.length === 0 && !this.#there.has(descriptor.digest)) await this.writeManifest(descriptor, bytes);
    for (const tag of tags) await this.#tag(tag, descriptor, bytes);
  }

  async finish(): Promise<void> {
    await this.#uploader.close();
  }

  async abort(): Promise<void> {
    await this.#uploader.close();
  }

  async #tag(tag: string, { digest, size, mediaType }: Descriptor, bytes: Buffer): Promise<void> {
    const stored = await this.client.putManifest(tag, bytes, mediaType, this.#request);
    // A tag that stands for something else than what was checked must not go unnoticed.
    if (stored.digest !== digest && digest.startsWith('sha256:')) {
      throw new BoxwrightError(
        'BLOB_MISMATCH',
        `${this.description}: ${tag} was to be ${digest}, not ${stored.digest}`,
        {
          hint: 'The content was changed on its way: copy it again.',
          details: { digest, actual: stored.digest },
        },
      );
    }
    this.#there.set(digest, size);
  }

  #keep(receipt: BlobReceipt): BlobReceipt {
    this.#there.set(receipt.digest, receipt.size);
    return receipt;
  }

  /** The tags asked for; else those that the image has in this repository. */
  #tagsOf({ names }: PlacedImage): readonly string[] {
    if (this.#tags.length > 0) return this.#tags;
    return [...new Set(names.flatMap((name) => this.#tagIn(name) ?? []))];
  }

  /** The tag of a canonical reference to this repository. */
  #tagIn(name: string): string | undefined {
    if (isTag(name)) return name;
    const { domain, path, tag } = parseReference(name);
    if (domain === this.repository.registry && path === this.repository.path) return tag;
    throw new BoxwrightError('REFERENCE_INVALID', `${escapeForTerminal(name)} is not in ${this.description}`, {
      hint: 'Name the image as it is to be called there.',
    });
  }
}

function isManifest(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}
