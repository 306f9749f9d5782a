import { describe, expect, it } from 'vitest';
import * as types from './media-types.ts';

const oci = 'application/vnd.oci.image.';
const docker = 'application/vnd.docker.image.rootfs.';

describe('layer media types', () => {
  it.each([
    [`${oci}layer.v1.tar`, 'none', false, `${docker}diff.tar`],
    [`${oci}layer.v1.tar+gzip`, 'gzip', false, `${docker}diff.tar.gzip`],
    [`${oci}layer.v1.tar+zstd`, 'zstd', false, `${docker}diff.tar.zstd`],
    [`${oci}layer.nondistributable.v1.tar`, 'none', true, `${docker}foreign.diff.tar`],
    [`${oci}layer.nondistributable.v1.tar+gzip`, 'gzip', true, `${docker}foreign.diff.tar.gzip`],
  ])('%s', (ociType, compression, foreign, dockerType) => {
    for (const type of [ociType, dockerType]) {
      expect(types.isLayerType(type)).toBe(true);
      expect(types.compressionOf(type)).toBe(compression);
      expect(types.isForeignLayerType(type)).toBe(foreign);
      expect(types.convertMediaType(type, 'oci')).toBe(ociType);
      expect(types.convertMediaType(type, 'docker')).toBe(dockerType);
    }
  });

  it('knows nothing of others', () => {
    expect(types.compressionOf('application/octet-stream')).toBeUndefined();
    expect(types.isLayerType(types.OCI_CONFIG)).toBe(false);
    expect(types.convertMediaType('application/x', 'docker')).toBe('application/x');
    expect(types.layerMediaType('docker', 'zstd', true)).toBe(types.DOCKER_LAYER_ZSTD);
  });
});

describe('document media types', () => {
  it.each([
    [types.OCI_INDEX, types.DOCKER_MANIFEST_LIST],
    [types.OCI_MANIFEST, types.DOCKER_MANIFEST],
    [types.OCI_CONFIG, types.DOCKER_CONFIG],
  ])('%s is %s in Docker', (ociType, dockerType) => {
    expect(types.convertMediaType(ociType, 'docker')).toBe(dockerType);
    expect(types.convertMediaType(dockerType, 'oci')).toBe(ociType);
    expect([types.formatOf(ociType), types.formatOf(dockerType)]).toEqual(['oci', 'docker']);
  });

  it.each([
    ['application/vnd.oci.image.manifest.v1+json', true],
    ['text/plain', true],
    ['text/plain; charset=utf-8', false],
    ['', false],
    ['json', false],
    ['a/b/c', false],
    ['a/\u001b', false],
    [`a/${'b'.repeat(300)}`, false],
  ])('%j is a media type: %s', (text, expected) => {
    expect(types.isMediaType(text)).toBe(expected);
  });
});
