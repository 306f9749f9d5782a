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
export type BlobContent = (offset: number, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/** Uploads to one repository. */
export interface BlobUploader {
  /** A blob whose descriptor is known. @throws BoxwrightError BLOB_MISMATCH, UPLOAD_FAILED and those of sending */
  upload(descriptor: Descriptor, content: BlobContent, onBytes?: (count: number) => void): Promise<BlobReceipt>;
  /**
   * A blob whose digest is known only when it has been sent (compressed on the way).
   *
   * @param key names the content across runs, so that an interrupted upload can be continued: the same key must always
   *   mean the same bytes
   */
  uploadStream(key: string, content: BlobContent, onBytes?: (count: number) => void): Promise<BlobReceipt>;
}
