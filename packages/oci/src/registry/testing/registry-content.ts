import { randomUUID } from 'node:crypto';
import { BlobCollector, digestOfBlob, memoryBlob, type StoredBlob, sha256 } from './stored-blob.ts';

/** A manifest or index. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** An upload session. */
export interface Upload {
  readonly id: string;
  readonly content: BlobCollector;
  /** Changes with every answer; a Location that holds an older one is refused where the registry is strict. */
  state: number;
}

/** What one repository holds. */
export class TestRepository {
  readonly blobs: Map<string, StoredBlob> = new Map();
  readonly manifests: Map<string, StoredManifest> = new Map();
  readonly tags: Map<string, string> = new Map();
  readonly uploads: Map<string, Upload> = new Map();

  /** Puts bytes there, without a request; returns their digest. */
  putBlob(content: Uint8Array | string): string {
    const bytes = Buffer.from(content);
    const digest = sha256(bytes);
    this.blobs.set(digest, memoryBlob([bytes]));
    return digest;
  }

  /** Puts a blob of any kind there; returns its digest, or takes the one that is said to be its. */
  putStored(blob: StoredBlob, digest: string = digestOfBlob(blob)): string {
    this.blobs.set(digest, blob);
    return digest;
  }

  /** Puts a manifest there, unchecked; returns its digest. Objects are written as JSON. */
  putManifest(document: object | string | Uint8Array, tag?: string, mediaType?: string): string {
    const text = typeof document === 'string' || document instanceof Uint8Array ? document : JSON.stringify(document);
    const bytes = Buffer.from(text);
    const digest = sha256(bytes);
    this.manifests.set(digest, { mediaType: mediaType ?? mediaTypeIn(bytes), bytes });
    if (tag !== undefined) this.tags.set(tag, digest);
    return digest;
  }

  /** The digest that a tag or digest stands for, when there is such a manifest. */
  resolve(reference: string): string | undefined {
    const digest = reference.includes(':') ? reference : this.tags.get(reference);
    return digest !== undefined && this.manifests.has(digest) ? digest : undefined;
  }

  /** A new upload session. */
  startUpload(keepUpTo: number): Upload {
    const upload: Upload = { id: randomUUID(), content: new BlobCollector(keepUpTo), state: 0 };
    this.uploads.set(upload.id, upload);
    return upload;
  }
}

/** `mediaType` of a document, else that of an OCI manifest. */
function mediaTypeIn(bytes: Buffer): string {
  try {
    const { mediaType } = JSON.parse(bytes.toString());
    if (typeof mediaType === 'string') return mediaType;
  } catch {
    // No JSON: a test wants it so.
  }
  return 'application/vnd.oci.image.manifest.v1+json';
}

/** Repositories by name; asking for one makes it. */
export class RegistryContent {
  readonly repositories: Map<string, TestRepository> = new Map();

  /** A repository, made when it is not there. */
  repository(name: string): TestRepository {
    const known = this.repositories.get(name);
    if (known !== undefined) return known;
    const made = new TestRepository();
    this.repositories.set(name, made);
    return made;
  }

  /** Content of a blob, whichever repository has it. */
  anyBlob(digest: string): StoredBlob | undefined {
    for (const { blobs } of this.repositories.values()) {
      const blob = blobs.get(digest);
      if (blob !== undefined) return blob;
    }
    return undefined;
  }
}
