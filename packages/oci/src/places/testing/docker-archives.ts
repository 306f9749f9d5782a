import { OCI_LAYER } from '../../documents/media-types.ts';
import { digestHex, digestOf } from '../../names/digest.ts';
import { type TestEntry, tarOf } from './tar-of.ts';

/** For tests: entries of an archive, in this order. */
export type TestEntries = readonly (readonly [path: string, entry: TestEntry])[];

/** For tests: the layer of the archives below. */
export const layer: Buffer = tarOf([['file', 'content']]);

/** For tests: their config. */
export const config: Buffer = Buffer.from(
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    docker_version: '19.03',
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  }),
);

/** For tests: its file. */
export const configName: string = `${digestHex(digestOf(config))}.json`;

/** For tests: what old engines call a layer. */
export const id: string = 'f'.repeat(64);

/** For tests: a `manifest.json` of one image. */
export function manifestJson(
  layers: readonly string[],
  names: readonly string[] | null = ['a:1'],
  configPath: string = configName,
): string {
  return JSON.stringify([{ Config: configPath, RepoTags: names, Layers: layers }]);
}

/** For tests: as `docker save` wrote it up to version 24. */
export const classic: TestEntries = [
  [configName, config],
  [`${id}/`, ''],
  [`${id}/VERSION`, '1.0'],
  [`${id}/json`, '{}'],
  [`${id}/layer.tar`, layer],
  ['manifest.json', manifestJson([`${id}/layer.tar`])],
  ['repositories', '{"a":{"1":"x"}}'],
];

/** For tests: the manifest of {@link modern}. */
export const manifest: string = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
  layers: [{ mediaType: OCI_LAYER, digest: digestOf(layer), size: layer.length }],
});

/** For tests: the file of a blob. */
export function blobName(bytes: string | Uint8Array): string {
  return `blobs/sha256/${digestHex(digestOf(bytes))}`;
}

/** For tests: an `index.json` that names {@link manifest}. */
export function indexJson(annotations: Record<string, string>, size: number = manifest.length): string {
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf(manifest), size };
  return JSON.stringify({ schemaVersion: 2, manifests: [{ ...entry, annotations }] });
}

/** For tests: as `docker save` writes it since version 25, without its index.json. */
export const modern: TestEntries = [
  ['blobs/', ''],
  [blobName(config), config],
  [blobName(layer), layer],
  [blobName(manifest), manifest],
  ['unrelated', 'x'.repeat(1000)],
  ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
  ['manifest.json', manifestJson([blobName(layer)], ['a:1'], blobName(config))],
];
