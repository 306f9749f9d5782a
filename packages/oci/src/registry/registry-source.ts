import type { Descriptor } from '../documents/descriptor.ts';
import { isIndexType, isManifestType } from '../documents/media-types.ts';
import type { Digest } from '../names/digest.ts';
import type { ImageSource } from '../places/place.ts';
import type { RegistryAccess } from './access.ts';
import type { FetchedManifest, Repository, RequestOptions } from './client/index.ts';
import { type RepositoryName, repositoryKey } from './repository-name.ts';

/** Bytes of documents that are kept, so that nothing has to be asked for twice. */
const keptBytes = 16 * 1024 * 1024;

/** What is only read may come from mirrors. */
const reading: RequestOptions = { mirrors: true };

/** A repository to copy from and to look into. */
export interface RegistrySource extends ImageSource {
  readonly repository: RepositoryName;
  readonly client: Repository;
  /**
   * What a tag or digest stands for, by GET: where the manifest will be read anyway, that is one request less than
   * `resolve` (which does not count as a pull, so it is right where nothing may have to be copied).
   *
   * @throws BoxwrightError as {@link Repository.manifest}
   */
  fetch(reference: string): Promise<Descriptor>;
  resolve(name: string): Promise<Descriptor | undefined>;
  referrers(subject: Descriptor): Promise<readonly Descriptor[]>;
}

/** Opens a repository for reading. Nothing is asked for yet. */
export function registrySource(access: RegistryAccess, name: RepositoryName): RegistrySource {
  const client = access.repository(name);
  const documents = new DocumentMemory();
  const manifest = async (reference: string | Descriptor): Promise<FetchedManifest> => {
    const fetched = await client.manifest(reference, reading);
    documents.keep(fetched.descriptor.digest, fetched.bytes);
    return fetched;
  };
  const readDocument = async (descriptor: Descriptor): Promise<Buffer> => {
    const known = documents.get(descriptor);
    if (known !== undefined) return known;
    if (isManifest(descriptor)) return (await manifest(descriptor)).bytes;
    const bytes = await client.blob(descriptor, reading);
    documents.keep(descriptor.digest, bytes);
    return bytes;
  };
  return {
    description: `registry ${repositoryKey(name)}`,
    repository: name,
    client,
    has: async (descriptor) => {
      if (documents.get(descriptor) !== undefined) return true;
      if (isManifest(descriptor)) return (await client.resolve(descriptor.digest, reading))?.size === descriptor.size;
      return (await client.blobSize(descriptor.digest)) === descriptor.size;
    },
    readDocument,
    readBlob: async function* (descriptor, options = {}) {
      const known = isManifest(descriptor) ? await readDocument(descriptor) : documents.get(descriptor);
      if (known === undefined) yield* client.readBlob(descriptor, { ...options, mirrors: true });
      else if (known.length > (options.offset ?? 0)) yield known.subarray(options.offset ?? 0);
    },
    resolve: async (tag) => await client.resolve(tag, reading),
    fetch: async (reference) => (await manifest(reference)).descriptor,
    referrers: async ({ digest }) => await client.referrers(digest, reading),
  };
}

/** What is asked for below `/manifests/`; registries have it nowhere else. */
function isManifest({ mediaType }: Descriptor): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

/** Verified documents, the last ones that fit. */
class DocumentMemory {
  readonly #documents = new Map<Digest, Buffer>();
  #bytes = 0;

  /** The bytes when they are here and of the size that the descriptor gives. */
  get({ digest, size }: Descriptor): Buffer | undefined {
    const bytes = this.#documents.get(digest);
    return bytes?.length === size ? bytes : undefined;
  }

  keep(digest: Digest, bytes: Buffer): void {
    if (this.#documents.has(digest)) return;
    this.#documents.set(digest, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#documents) {
      if (this.#bytes <= keptBytes) break;
      this.#documents.delete(oldest);
      this.#bytes -= length;
    }
  }
}
