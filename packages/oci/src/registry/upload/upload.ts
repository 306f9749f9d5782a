import type { Descriptor } from '../../documents/descriptor.ts';
import type { Digest } from '../../names/digest.ts';

/** What became of a blob at the destination. */
export interface BlobReceipt {
  readonly digest: Digest;
  readonly size: number;
  /** Bytes that went over the wire, tries included; less than `size` when an upload was resumed. */
  readonly sent: number;
  /** 1 when nothing had to be tried again. */
  readonly tries: number;
  /** Bytes that an earlier, interrupted upload had brought. */
  readonly resumedAt: number;
}

/** Content that can be read again. Every reading is checked as a whole: see `ImageSource.readBlob`. */
export interface BlobContent {
  /** The bytes from `offset` on; each piece is valid until the next one is asked for. */
  (offset: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * True when each reading is hashed where it comes from and its last piece is held back until all bytes, those before
   * the offset included, were found right. It is not hashed a second time then, only counted: that saves most of the
   * processor time of an upload.
   */
  readonly checked?: boolean;
}

/** Marks content whose readings are checked where they come from: `ImageSource.readBlob` promises it. */
export function checkedContent(
  content: (offset: number, signal?: AbortSignal) => AsyncIterable<Uint8Array>,
): BlobContent {
  return Object.assign((offset: number, signal?: AbortSignal) => content(offset, signal), { checked: true });
}

/** Uploads to one repository. */
export interface BlobUploader {
  /** A blob whose descriptor is known. @throws BoxwrightError BLOB_MISMATCH, UPLOAD_FAILED and those of sending */
  upload(
    descriptor: Descriptor,
    content: BlobContent,
    onBytes?: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<BlobReceipt>;
  /**
   * A blob whose digest is known only when it has been sent (compressed on the way).
   *
   * @param key names the content across runs, so that an interrupted upload can be continued: the same key must always
   *   mean the same bytes
   */
  uploadStream(
    key: string,
    content: BlobContent,
    onBytes?: (count: number) => void,
    signal?: AbortSignal,
  ): Promise<BlobReceipt>;
  /** Hands over a session that the registry opened unasked (202 to a mount): the next upload of this blob goes there. */
  adopt(digest: Digest, location: URL): Promise<void>;
  /** Gives sessions back that were handed over and not used. */
  close(): Promise<void>;
}
