import { digestOf, emptyContainerConfig, OCI_MANIFEST, parseImageConfig } from '@boxwright/oci';
import { expect, it } from 'vitest';
import { dockerInspect } from './docker-inspect.ts';
import type { DockerInspectSource } from './info-source.ts';

const layer = digestOf('layer');

function source(document: unknown): DockerInspectSource {
  const raw = Buffer.from(JSON.stringify(document));
  return {
    id: digestOf(raw),
    config: parseImageConfig(raw),
    descriptor: { mediaType: OCI_MANIFEST, digest: digestOf('manifest'), size: 7 },
    repoTags: ['app:latest'],
    repoDigests: [],
    size: 1234,
    lastTagTime: Date.parse('2026-01-02T03:04:05.678Z'),
  };
}

it("has the Engine API's members in its order", () => {
  const inspected = dockerInspect(
    source({
      architecture: 'arm64',
      variant: 'v8',
      os: 'linux',
      created: '2026-01-01T00:00:00.123456789Z',
      config: {
        User: 'app',
        ExposedPorts: { '9000/udp': {}, '80/tcp': {} },
        Env: ['PATH=/bin'],
        Cmd: ['a', '<b>'],
        WorkingDir: '/app',
        Labels: JSON.parse('{"z":"1","__proto__":"x"}'),
        Volumes: { '/data': {} },
        Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 },
        Shell: ['/bin/bash', '-c'],
        Hostname: 'dropped',
      },
      rootfs: { type: 'layers', diff_ids: [layer] },
      history: [{ created_by: 'COPY . /', comment: 'buildkit.dockerfile.v0' }],
    }),
  );
  expect(JSON.stringify(inspected, undefined, 1)).toBe(
    JSON.stringify(
      {
        Id: inspected['Id'],
        RepoTags: ['app:latest'],
        RepoDigests: [],
        Comment: 'buildkit.dockerfile.v0',
        Created: '2026-01-01T00:00:00.123456789Z',
        Config: {
          User: 'app',
          ExposedPorts: { '80/tcp': {}, '9000/udp': {} },
          Env: ['PATH=/bin'],
          Cmd: ['a', '<b>'],
          Volumes: { '/data': {} },
          WorkingDir: '/app',
          Labels: JSON.parse('{"__proto__":"x","z":"1"}'),
          Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 },
          Shell: ['/bin/bash', '-c'],
        },
        Architecture: 'arm64',
        Variant: 'v8',
        Os: 'linux',
        Size: 1234,
        RootFS: { Type: 'layers', Layers: [layer] },
        Metadata: { LastTagTime: '2026-01-02T03:04:05.678Z' },
        Descriptor: { mediaType: OCI_MANIFEST, digest: digestOf('manifest'), size: 7 },
      },
      undefined,
      1,
    ),
  );
});

it('leaves out what is empty', () => {
  const { lastTagTime: _, ...rest } = source({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const inspected = dockerInspect({ ...rest, config: { ...rest.config, config: emptyContainerConfig }, repoTags: [] });
  expect(inspected).toMatchObject({
    Config: {},
    RootFS: { Type: 'layers' },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
  });
  expect(Object.keys(inspected)).toEqual([
    'Id',
    'RepoTags',
    'RepoDigests',
    'Config',
    'Architecture',
    'Os',
    'Size',
    'RootFS',
    'Metadata',
    'Descriptor',
  ]);
});
