import type { Descriptor } from '../documents/descriptor.ts';
import type { ImageManifest } from '../documents/manifest.ts';
import { isForeignLayerType } from '../documents/media-types.ts';
import type { PartRole } from './ledger.ts';

/** A config or layer of a manifest. */
export interface BlobPart {
  readonly role: 'config' | 'layer';
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
}

/** A manifest or index: what it was at the source, and what it is to be. */
export interface DocumentPart {
  readonly role: 'manifest' | 'index';
  readonly from: Descriptor;
  readonly to: Descriptor;
  readonly bytes: Buffer;
}

/** What a walk does with the parts that it comes by: copying them, or only finding out what copying would mean. */
export interface Transfer {
  /** True when a manifest or index is at the destination with all that it names; noted down when it is. */
  holds(descriptor: Descriptor): Promise<boolean>;
  /** Brings a blob; what it is then, or undefined when only doing it would tell. */
  blob(part: BlobPart): Promise<Descriptor | undefined>;
  /** Writes a manifest or index below the top. */
  document(part: DocumentPart): Promise<void>;
  /** Notes that the source lacks something that may be missing. */
  absent(role: PartRole, descriptor: Descriptor): void;
}

/** Windows base layers, and others that say where else they are. */
export function mayBeAbsent({ mediaType, urls }: Descriptor): boolean {
  return isForeignLayerType(mediaType) || urls !== undefined;
}
