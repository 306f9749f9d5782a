import type { Descriptor } from '../documents/descriptor.ts';
import type { BlobContent } from '../registry/upload/upload.ts';

/** What was found out about an encoded layer. */
export interface EncodedSize {
  readonly digest: Descriptor['digest'];
  readonly size: number;
}

/** Encoded bytes that lie somewhere for the time of a copy. */
export interface SpooledLayer extends EncodedSize {
  readonly content: BlobContent;
  /** Nothing more is wanted of it. */
  release(): void;
}

/** How one layer is to be changed on its way. */
export interface LayerEncoding {
  readonly mediaType: string;
  /** Names the result across runs: everything that its bytes depend on is in it. */
  readonly key: string;
  /** What the result was in an earlier run. */
  recall(): EncodedSize | undefined;
  /** Keeps what the result is, or forgets it. */
  remember(result: EncodedSize | undefined): void;
  /** The encoded bytes, made on the way; the same each time. */
  content(source: BlobContent): BlobContent;
  /** Encodes into a temporary file, for destinations that have to know the digest first. */
  spool(source: BlobContent): Promise<SpooledLayer>;
}

/** Decides what layers become on their way; undefined: they stay as they are. */
export type LayerEncoder = (layer: Descriptor) => LayerEncoding | undefined;

/** The descriptor of an encoded layer: annotations stay, type, digest and size change. */
export function encodedDescriptor(layer: Descriptor, { mediaType }: LayerEncoding, result: EncodedSize): Descriptor {
  const { annotations } = layer;
  return {
    mediaType,
    digest: result.digest,
    size: result.size,
    ...(annotations === undefined ? {} : { annotations }),
  };
}
