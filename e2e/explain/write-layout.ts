import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MadeFile, tarOf } from './made-tar.ts';

/** A layer as it goes into a layout: what it is, and what is said about it. */
export interface MadeLayer {
  /** The blob, or a file that is moved there. */
  readonly blob: Buffer | { readonly path: string; readonly size: number };
  /** Digest that its descriptor gives. */
  readonly digest: string;
  readonly diffId: string;
}

/** An image to be written, right or wrong. */
export interface MadeImage {
  readonly layers: readonly MadeLayer[];
  /** Members of the config beside `rootfs`, or its bytes. */
  readonly config?: object | string;
  /** Instead of those of the layers. */
  readonly diffIds?: readonly string[];
}

/** `sha256:…` */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An uncompressed layer of these files. */
export function layerOf(files: readonly MadeFile[]): MadeLayer {
  return layerBlob(tarOf(files));
}

/** A layer whose blob is this, whatever it is. */
export function layerBlob(blob: Buffer, diffId: string = sha256(blob)): MadeLayer {
  return { blob, digest: sha256(blob), diffId };
}

/** Writes an OCI image layout with one image, named `it`, and returns the name of that place. */
export function writeLayout(directory: string, { layers, config = {}, diffIds }: MadeImage): string {
  const blobs = join(directory, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Buffer, digest: string = sha256(bytes)): object => {
    writeFileSync(join(blobs, digest.replace('sha256:', '')), bytes);
    return { digest, size: bytes.length };
  };
  const oci = 'application/vnd.oci.image';
  const rootfs = { type: 'layers', diff_ids: diffIds ?? layers.map(({ diffId }) => diffId) };
  const document =
    typeof config === 'string' ? config : JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs, ...config });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, ...put(Buffer.from(document)) },
    layers: layers.map(({ blob, digest }) => {
      const mediaType = `${oci}.layer.v1.tar`;
      if (Buffer.isBuffer(blob)) return { mediaType, ...put(blob, digest) };
      renameSync(blob.path, join(blobs, digest.replace('sha256:', '')));
      return { mediaType, digest, size: blob.size };
    }),
  });
  const descriptor = { mediaType: `${oci}.manifest.v1+json`, ...put(Buffer.from(manifest)) };
  const annotations = { 'org.opencontainers.image.ref.name': 'it' };
  writeFileSync(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor, annotations }] }),
  );
  writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return `oci:${directory}:it`;
}
