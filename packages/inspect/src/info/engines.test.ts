import { readFileSync } from 'node:fs';
import { digestOf, OCI_MANIFEST, parseImageConfig } from '@boxwright/oci';
import { describe, expect, it } from 'vitest';
import { dockerInspect, inspectForms } from './docker-inspect.ts';
import { goTime } from './go-values.ts';
import type { DockerInspectSource, InfoObject } from './info-source.ts';

function source(config: unknown, parts: Partial<DockerInspectSource> = {}): DockerInspectSource {
  const raw = Buffer.from(typeof config === 'string' ? config : JSON.stringify(config));
  return {
    id: digestOf(raw),
    config: parseImageConfig(raw),
    descriptor: { mediaType: OCI_MANIFEST, digest: digestOf('manifest'), size: 7 },
    repoTags: ['app:latest'],
    repoDigests: [],
    ...parts,
  };
}

const minimal = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf('layer')] } };

describe('docker-24', () => {
  it('is what a Docker Engine of that time printed for an image of its classic builder, key by key in its order', () => {
    // Docker 20.10: the config as it saved it, and what `docker inspect` printed. The file is ours.
    const recorded = JSON.parse(readFileSync(new URL('testing/classic-builder.json', import.meta.url), 'utf8')) as {
      readonly config: unknown;
      readonly inspect: InfoObject;
    };
    // Dropped in Engine API 1.44; the others are the host's.
    const { VirtualSize: _, ...expected } = recorded.inspect;
    const info = dockerInspect(
      source(recorded.config, { repoTags: ['classic:latest'], size: Number(expected['Size']) }),
      'docker-24',
    );
    const hosts = { Id: 0, Parent: 0, GraphDriver: 0, Metadata: 0 };
    expect(JSON.stringify({ ...info, ...hosts }, undefined, 1)).toBe(
      JSON.stringify({ ...expected, ...hosts }, undefined, 1),
    );
  });

  it("writes Go's empty values, and tells an empty list from none", () => {
    const config = { Cmd: [], Entrypoint: null, Healthcheck: {}, Volumes: {}, ExposedPorts: {}, Hostname: 'h' };
    const info = dockerInspect(source({ ...minimal, config }), 'docker-24');
    expect(JSON.stringify(info['Config'])).toBe(
      '{"Hostname":"h","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,' +
        '"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":[],"Healthcheck":{},"Image":"","Volumes":{},' +
        '"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null}',
    );
    expect(info).toMatchObject({ Created: '0001-01-01T00:00:00Z', Container: '', ContainerConfig: null, Author: '' });
    expect(dockerInspect(source(minimal), 'docker-24')['Config']).toMatchObject({ Hostname: '', Cmd: null });
  });

  it('takes a command that is one string for a list, as old images have it', () => {
    const info = dockerInspect(source({ ...minimal, config: { Cmd: 'sh' } }), 'docker-24');
    expect(info['Config']).toMatchObject({ Cmd: ['sh'] });
  });
});

describe('docker-28', () => {
  it('has Config sorted and last, with members that are always there', () => {
    const document = {
      ...minimal,
      created: '2026-01-01T00:00:00.500000000+00:00',
      config: {
        Env: ['A=1'],
        StopSignal: 'SIGINT',
        ArgsEscaped: true,
        Labels: { b: '2', a: '1' },
        Hostname: 'h',
        Healthcheck: { Test: ['NONE'], Interval: 5, Retries: 3 },
      },
      history: [{ comment: 'buildkit.dockerfile.v0' }],
    };
    expect(JSON.stringify(dockerInspect(source(document, { size: 5 }), 'docker-28'))).toBe(
      JSON.stringify({
        Id: digestOf(JSON.stringify(document)),
        RepoTags: ['app:latest'],
        RepoDigests: [],
        Parent: '',
        Comment: 'buildkit.dockerfile.v0',
        Created: '2026-01-01T00:00:00.5Z',
        DockerVersion: '',
        Author: '',
        Architecture: 'amd64',
        Os: 'linux',
        Size: 5,
        GraphDriver: { Data: null, Name: '' },
        RootFS: { Type: 'layers', Layers: [digestOf('layer')] },
        Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
        Config: {
          ArgsEscaped: true,
          Cmd: null,
          Entrypoint: null,
          Env: ['A=1'],
          Healthcheck: { Interval: 5, Retries: 3, Test: ['NONE'] },
          Labels: { a: '1', b: '2' },
          OnBuild: null,
          StopSignal: 'SIGINT',
          User: '',
          Volumes: null,
          WorkingDir: '',
        },
      }),
    );
  });
});

describe.each(inspectForms)('%s', (form) => {
  it("takes the image's own comment before that of the last step", () => {
    const document = { ...minimal, comment: 'mine', history: [{ comment: 'last' }] };
    expect(dockerInspect(source(document), form)['Comment']).toBe('mine');
  });

  it('has no size when none is known', () => {
    expect(dockerInspect(source(minimal), form)).not.toHaveProperty('Size');
    expect(dockerInspect(source(minimal, { size: 0 }), form)).toHaveProperty('Size', 0);
  });

  it('keeps __proto__ as a name', () => {
    const info = dockerInspect(
      source(JSON.stringify({ ...minimal, config: 1 }).replace('"config":1', '"config":{"Labels":{"__proto__":"x"}}')),
      form,
    );
    expect(JSON.stringify(info)).toContain('"Labels":{"__proto__":"x"}');
    expect(Object.getPrototypeOf(info)).toBe(Object.prototype);
  });
});

describe('goTime', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.120Z', '2026-01-01T00:00:00.12Z'],
    ['2026-01-01T00:00:00.1234567899Z', '2026-01-01T00:00:00.123456789Z'],
    ['2026-01-01T10:00:00+08:00', '2026-01-01T10:00:00+08:00'],
    ['2026-01-01T10:00:00.10+08:00', '2026-01-01T10:00:00.1+08:00'],
    ['2026-01-01T10:00:00+00:00', '2026-01-01T10:00:00Z'],
  ])('%s', (time, text) => {
    expect(goTime(time)).toBe(text);
  });
});
