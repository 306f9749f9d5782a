import type { Descriptor } from '../../documents/descriptor.ts';
import type { ImageIndex, ImageManifest } from '../../documents/manifest.ts';
import type { Digest } from '../../names/digest.ts';
import type { ReadBlobOptions } from '../../places/place.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { Registries } from '../session/registries.ts';

/** What every call takes. */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Mirrors of the registry may answer: right for what is only read. Default false, since what a mirror has says nothing
   * about what the registry has and still needs.
   */
  readonly mirrors?: boolean | undefined;
}

/** How to read a blob. */
export interface ReadOptions extends ReadBlobOptions {
  /** See {@link RequestOptions}. */
  readonly mirrors?: boolean | undefined;
}

/** A manifest or index that was fetched: its bytes are those of the descriptor, and the document was read from them. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly document: ImageManifest | ImageIndex;
  /** As they came: what the digest is of. */
  readonly bytes: Buffer;
}

/** What came of asking for a mount. */
export type MountAnswer =
  | { readonly mounted: true }
  /** `upload`: the session that the registry opened instead (202). Use it, or give it back with `cancelUpload`. */
  | { readonly mounted: false; readonly upload?: URL };

/** Which names of a list, and how many of them per request. */
export interface ListOptions extends RequestOptions {
  /** Only names that come after this one, in the registry's order. */
  readonly last?: string | undefined;
  /** Names per request; default 1000, the most that some registries allow. */
  readonly pageSize?: number | undefined;
}

/** Which referrers. */
export interface ReferrerOptions extends RequestOptions {
  readonly artifactType?: string | undefined;
}

/**
 * One repository of a registry, by the OCI distribution-spec 1.1. What comes from it is verified, what cannot be verified
 * is bounded. All calls throw, beside what they name, the errors of {@link Registries.send}.
 *
 * A `reference` is a tag or a digest; anything else is REFERENCE_INVALID.
 */
export interface Repository {
  readonly name: RepositoryName;
  readonly registries: Registries;

  /**
   * What a tag or digest stands for, by HEAD, which does not count as a pull; by GET where HEAD does not say enough.
   *
   * @returns undefined when there is no such manifest
   * @throws BoxwrightError DOCUMENT_UNSUPPORTED (schema 1), REGISTRY_ANSWER_INVALID
   */
  resolve(reference: string, options?: RequestOptions): Promise<Descriptor | undefined>;
  /**
   * Fetches a manifest or index. Type, digest and size, as far as they are known from the reference, the headers and the
   * document itself, must agree.
   *
   * @throws BoxwrightError REGISTRY_NOT_FOUND, BLOB_MISMATCH, DOCUMENT_TOO_LARGE, DOCUMENT_INVALID,
   *   DOCUMENT_TYPE_MISMATCH, DOCUMENT_UNSUPPORTED, REGISTRY_ANSWER_INVALID
   */
  manifest(reference: string | Descriptor, options?: RequestOptions): Promise<FetchedManifest>;
  /**
   * Stores a manifest or index under a tag or its digest. When it has a `subject` and the registry does not list
   * referrers itself, the list under the fallback tag is updated as well.
   *
   * @throws BoxwrightError REGISTRY_ANSWER_INVALID when the registry says that it stored something else
   */
  putManifest(reference: string, bytes: Uint8Array, mediaType: string, options?: RequestOptions): Promise<Descriptor>;
  /** Deletes a manifest and its tags; takes it off the fallback list of its subject. */
  deleteManifest(digest: Digest, options?: RequestOptions): Promise<void>;
  /** Deletes a tag and leaves the manifest, also where the registry itself can only delete manifests. */
  deleteTag(tag: string, options?: RequestOptions): Promise<void>;

  /** Bytes of a blob, by HEAD; undefined when this repository lacks it. */
  blobSize(digest: Digest, options?: RequestOptions): Promise<number | undefined>;
  /** A config or another small blob as a whole. @throws BoxwrightError BLOB_MISMATCH, DOCUMENT_TOO_LARGE */
  blob(descriptor: Descriptor, options?: RequestOptions): Promise<Buffer>;
  /**
   * A blob of any size as {@link ImageSource.readBlob} gives it; goes on where it was when the connection is lost.
   *
   * @throws BoxwrightError REGISTRY_NOT_FOUND, BLOB_MISMATCH
   */
  readBlob(descriptor: Descriptor, options?: ReadOptions): AsyncIterable<Uint8Array>;
  deleteBlob(digest: Digest, options?: RequestOptions): Promise<void>;
  /** Asks for a blob of another repository of this registry. Refusals are answers, since uploading always remains. */
  mountBlob(digest: Digest, from: RepositoryName, options?: RequestOptions): Promise<MountAnswer>;
  /** Gives an upload session back. Failure is of no consequence, as sessions expire. */
  cancelUpload(location: URL, options?: RequestOptions): Promise<void>;

  /** Tags in the registry's order. @throws BoxwrightError REGISTRY_ANSWER_INVALID (no such list, or one without end) */
  tags(options?: ListOptions): AsyncIterable<string>;
  /** Manifests that have `subject` as their subject: from the referrers API, or the list under the fallback tag. */
  referrers(subject: Digest, options?: ReferrerOptions): Promise<readonly Descriptor[]>;
}
