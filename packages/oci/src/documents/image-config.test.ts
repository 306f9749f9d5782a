import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../names/digest.ts';
import { formatPlatform, hostPlatform } from '../names/platform.ts';
import { buildImageConfig } from './build-image-config.ts';
import { descriptorOf } from './descriptor.ts';
import { emptyContainerConfig, type HistoryEntry } from './image-config.ts';
import { documentLimits } from './limits.ts';
import { chainIds, parseImageConfig, platformOf } from './parse-image-config.ts';

const diffId = digestOf('layer');
const minimal = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const parse = (value: unknown) => parseImageConfig(bytes(value));
const refusal = (message: string) =>
  expect.objectContaining({ code: 'DOCUMENT_INVALID', message: expect.stringContaining(message) });

/** As the classic builder of Docker 20.10 wrote it, less some members. */
const classic = {
  architecture: 'arm64',
  config: {
    Hostname: '',
    AttachStdin: false,
    User: 'app:app',
    ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
    Env: ['PATH=/bin', 'A=b=c'],
    Cmd: ['sh'],
    Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 30000000000, Retries: 3 },
    Image: 'sha256:x',
    Volumes: { '/data': {} },
    WorkingDir: '/app',
    Entrypoint: null,
    OnBuild: null,
    Labels: { b: '2', a: '1' },
    StopSignal: 'SIGINT',
    Shell: ['/bin/bash', '-c'],
  },
  container: 'abc',
  created: '2025-12-31T22:22:10.250075491Z',
  docker_version: '20.10.24',
  history: [
    { created: '2025-12-30T00:00:00Z', created_by: '/bin/sh -c #(nop) ADD file:x in / ' },
    {
      created: '2025-12-31T22:22:10.250075491Z',
      created_by: 'CMD ["sh"]',
      comment: 'c',
      author: 'me',
      empty_layer: true,
    },
  ],
  os: 'linux',
  'os.version': '1',
  rootfs: { type: 'layers', diff_ids: [diffId] },
  variant: 'v8',
  'x-number': 1.0,
};

describe('parseImageConfig', () => {
  it('gives typed fields, absent ones empty, and keeps the bytes and unknown members', () => {
    const config = parse(minimal);
    expect(config.config).toEqual(emptyContainerConfig);
    expect(config).toMatchObject({ architecture: 'amd64', os: 'linux', rootfs: { diffIds: [diffId] }, history: [] });
    expect(config.raw).toEqual(bytes(minimal));
    expect(parse(classic).json.get('docker_version')).toBe('20.10.24');
  });

  it('reads what Docker writes', () => {
    const config = parse(classic);
    expect(config.config).toEqual({
      User: 'app:app',
      ExposedPorts: ['8080/tcp', '53/udp'],
      Env: ['PATH=/bin', 'A=b=c'],
      Cmd: ['sh'],
      Entrypoint: [],
      Volumes: ['/data'],
      WorkingDir: '/app',
      Labels: new Map([
        ['b', '2'],
        ['a', '1'],
      ]),
      StopSignal: 'SIGINT',
      Shell: ['/bin/bash', '-c'],
      Healthcheck: {
        Test: ['CMD-SHELL', 'true'],
        Interval: 30e9,
        Timeout: 0,
        StartPeriod: 0,
        StartInterval: 0,
        Retries: 3,
      },
      OnBuild: [],
      ArgsEscaped: false,
    });
    expect(config.history).toEqual([
      { created: '2025-12-30T00:00:00Z', createdBy: '/bin/sh -c #(nop) ADD file:x in / ' },
      {
        created: '2025-12-31T22:22:10.250075491Z',
        createdBy: 'CMD ["sh"]',
        comment: 'c',
        author: 'me',
        emptyLayer: true,
      },
    ]);
    expect(config).toMatchObject({ variant: 'v8', osVersion: '1', created: '2025-12-31T22:22:10.250075491Z' });
  });

  it('takes a command that is one string, and the last of duplicate keys', () => {
    expect(parse({ ...minimal, config: { Cmd: 'sh', Entrypoint: '/x y' } }).config).toMatchObject({
      Cmd: ['sh'],
      Entrypoint: ['/x y'],
    });
    expect(parse(JSON.stringify(minimal).replace('{', '{"os":"plan9",')).os).toBe('linux');
  });

  it('D1: refuses a diff ID that is no digest', () => {
    const bad = { ...minimal, rootfs: { type: 'layers', diff_ids: [diffId, '../x'] } };
    expect(() => parse(bad)).toThrow(refusal('rootfs.diff_ids[1] is not a sha256 or sha512 digest'));
  });

  it('D2: compares size and digest', () => {
    const descriptor = descriptorOf(bytes(minimal), 'application/vnd.oci.image.config.v1+json');
    expect(parseImageConfig(bytes(minimal), { descriptor }).os).toBe('linux');
    for (const wrong of [
      { ...descriptor, size: 3 },
      { ...descriptor, digest: diffId },
    ]) {
      expect(() => parseImageConfig(bytes(minimal), { descriptor: wrong })).toThrow(
        expect.objectContaining({ code: 'BLOB_MISMATCH' }),
      );
    }
  });

  it('D4: bounds size, layers and history', () => {
    const padded = JSON.stringify(minimal).padEnd(documentLimits.configBytes + 1);
    expect(() => parse(padded)).toThrow(expect.objectContaining({ code: 'DOCUMENT_TOO_LARGE' }));
    const layers = { type: 'layers', diff_ids: Array(1001).fill(diffId) };
    expect(() => parse({ ...minimal, rootfs: layers })).toThrow(refusal('rootfs.diff_ids has more than 1000'));
    expect(() => parse({ ...minimal, history: Array.from({ length: 10_001 }, () => ({})) })).toThrow(
      refusal('history has more than 10000'),
    );
  });

  it.each<[string, unknown, string]>([
    ['null', 'null', 'is not a JSON object'],
    ['no rootfs', { ...minimal, rootfs: undefined }, 'rootfs is missing'],
    ['another rootfs type', { ...minimal, rootfs: { type: 'tree' } }, 'rootfs.type is not "layers"'],
    ['config as an array', { ...minimal, config: [] }, 'config is not an object'],
    ['Env as an object', { ...minimal, config: { Env: {} } }, 'config.Env is not an array'],
    ['Env of null', { ...minimal, config: { Env: [null] } }, 'config.Env[0] is not a string'],
    [
      'Labels of numbers',
      { ...minimal, config: { Labels: { 'a\u001b': 1 } } },
      'config.Labels["a\\x1b"] is not a string',
    ],
    [
      'a float interval',
      { ...minimal, config: { Healthcheck: { Interval: 0.5 } } },
      'config.Healthcheck.Interval is not an integer',
    ],
    ['a huge interval', '{"rootfs":{"type":"layers"},"config":{"Healthcheck":{"Interval":1e400}}}', 'too large'],
    ['a time in words', { ...minimal, created: 'yesterday' }, 'created is not a time'],
    ['a history time in words', { ...minimal, history: [{ created: 'now' }] }, 'history[0].created is not a time'],
    ['empty_layer as text', { ...minimal, history: [{ empty_layer: 'yes' }] }, 'history[0].empty_layer is neither'],
    ['history as an object', { ...minimal, history: {} }, 'history is not an array'],
    ['os as a number', { ...minimal, os: 1 }, 'os is not a string'],
  ])('D5: refuses %s', (_name, value, message) => {
    expect(() => parse(value)).toThrow(refusal(message));
  });

  it('D6: __proto__ and constructor are labels, ports and members like any other', () => {
    const text = `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers"},"__proto__":{"os":"x"},
      "config":{"Labels":{"__proto__":"l","constructor":"c"},"ExposedPorts":{"__proto__":{}},"__proto__":{"User":"root"}}}`;
    const config = parse(text);
    expect([...config.config.Labels]).toEqual([
      ['__proto__', 'l'],
      ['constructor', 'c'],
    ]);
    expect(config.config).toMatchObject({ ExposedPorts: ['__proto__'], User: '' });
    const again = parseImageConfig(buildImageConfig({ base: config }));
    expect(again.config).toEqual(config.config);
    expect([...again.json.keys()]).toContain('__proto__');
  });
});

describe('platformOf', () => {
  it('normalises, and fills gaps as Docker does', () => {
    expect(formatPlatform(platformOf(parse(classic)))).toBe('linux/arm64');
    expect(platformOf(parse({ rootfs: { type: 'layers' } }))).toMatchObject({
      os: 'linux',
      architecture: hostPlatform().architecture,
    });
  });
});

describe('chainIds', () => {
  it('follows the recursion of the specification', () => {
    const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')];
    const ab = digestOf(`${a} ${b}`);
    expect(chainIds([a, b, c])).toEqual([a, ab, digestOf(`${ab} ${c}`)]);
    expect(chainIds([])).toEqual([]);
  });
});

describe('buildImageConfig', () => {
  it('writes what BuildKit writes', () => {
    const history: HistoryEntry[] = [
      {
        created: '2026-01-01T00:00:00Z',
        createdBy: 'RUN /bin/sh -c a && b > c # buildkit',
        comment: 'buildkit.dockerfile.v0',
      },
      {
        created: '2026-01-01T00:00:00.5Z',
        createdBy: 'CMD ["sh"]',
        comment: 'buildkit.dockerfile.v0',
        emptyLayer: true,
      },
    ];
    const written = buildImageConfig({
      architecture: 'arm',
      os: 'linux',
      variant: 'v7',
      config: {
        Shell: ['/bin/bash'],
        OnBuild: ['RUN x'],
        Healthcheck: { Test: ['CMD', 'x'], Interval: 5e9, Timeout: 0, StartPeriod: 0, StartInterval: 1, Retries: 2 },
        ArgsEscaped: true,
        StopSignal: 'SIGTERM',
        Labels: new Map([
          ['z', '<1>'],
          ['a', '2'],
        ]),
        WorkingDir: '/',
        Volumes: ['/b', '/a'],
        Cmd: ['sh'],
        Entrypoint: ['/e'],
        Env: ['PATH=/bin'],
        ExposedPorts: ['80/tcp', '443/tcp'],
        User: 'u',
      },
      rootfs: { diffIds: [diffId] },
      history,
    });
    expect(written.toString()).toBe(
      '{"architecture":"arm","config":{"User":"u","ExposedPorts":{"443/tcp":{},"80/tcp":{}},"Env":["PATH=/bin"],' +
        '"Entrypoint":["/e"],"Cmd":["sh"],"Volumes":{"/a":{},"/b":{}},"WorkingDir":"/",' +
        '"Labels":{"a":"2","z":"\\u003c1\\u003e"},"StopSignal":"SIGTERM","ArgsEscaped":true,' +
        '"Healthcheck":{"Test":["CMD","x"],"Interval":5000000000,"StartInterval":1,"Retries":2},' +
        '"OnBuild":["RUN x"],"Shell":["/bin/bash"]},"created":"2026-01-01T00:00:00.5Z","history":[' +
        '{"created":"2026-01-01T00:00:00Z","created_by":"RUN /bin/sh -c a \\u0026\\u0026 b \\u003e c # buildkit",' +
        '"comment":"buildkit.dockerfile.v0"},' +
        '{"created":"2026-01-01T00:00:00.5Z","created_by":"CMD [\\"sh\\"]","comment":"buildkit.dockerfile.v0",' +
        `"empty_layer":true}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${diffId}"]},"variant":"v7"}`,
    );
  });

  it('leaves out what is empty', () => {
    expect(buildImageConfig({ architecture: 'amd64', os: 'linux' }).toString()).toBe(
      '{"architecture":"amd64","config":{},"created":null,"history":[],"os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
    );
  });

  it('refuses to write a config without platform', () => {
    for (const changes of [{}, { os: 'linux' }, { architecture: 'amd64' }, { os: '', architecture: 'amd64' }]) {
      expect(() => buildImageConfig(changes)).toThrow(expect.objectContaining({ code: 'CONFIG_INCOMPLETE' }));
    }
  });

  it('keeps the members of a base that it does not know, unless told otherwise', () => {
    const base = parse(JSON.stringify(classic).replace('"x-number":1', '"x-number":1.0'));
    const kept = buildImageConfig({ base, config: { User: '' } }).toString();
    expect(kept).toContain('"docker_version":"20.10.24"');
    expect(kept).toContain('"x-number":1.0}');
    expect(kept).toContain('"Shell":["/bin/bash","-c"],"Hostname":"","AttachStdin":false,"Image":"sha256:x"}');
    expect(parse(kept).config).toEqual({ ...base.config, User: '', ExposedPorts: ['53/udp', '8080/tcp'] });
    const dropped = parse(buildImageConfig({ base, unknownFields: 'drop' }).toString());
    expect([...dropped.json.keys()]).toEqual(
      'architecture config created history os os.version rootfs variant'.split(' '),
    );
    expect(dropped.config).toEqual({ ...base.config, ExposedPorts: ['53/udp', '8080/tcp'] });
  });

  it('drops the inline cache of a base whose layers change', () => {
    const base = parse({ ...minimal, 'moby.buildkit.cache.v0': 'e30=' });
    expect(buildImageConfig({ base }).toString()).toContain('moby.buildkit.cache.v0');
    expect(buildImageConfig({ base, rootfs: { diffIds: [] } }).toString()).not.toContain('moby.buildkit.cache.v0');
  });

  it('takes the time from the history when that is new', () => {
    const base = parse(classic);
    const createdOf = (changes: object) => parseImageConfig(buildImageConfig({ base, ...changes })).created;
    expect(createdOf({})).toBe(classic.created);
    expect(createdOf({ history: [{ created: '2020-01-01T00:00:00Z' }, {}] })).toBe('2020-01-01T00:00:00Z');
    expect(createdOf({ history: [], created: '2021-01-01T00:00:00Z' })).toBe('2021-01-01T00:00:00Z');
    expect(createdOf({ created: '' })).toBeUndefined();
  });

  it('removes a health check only when asked', () => {
    const base = parse(classic);
    const configOf = (config: object) => parseImageConfig(buildImageConfig({ base, config })).config;
    expect(configOf({ Env: undefined })).toMatchObject({ Env: base.config.Env, Healthcheck: base.config.Healthcheck });
    expect(configOf({ Healthcheck: undefined })).not.toHaveProperty('Healthcheck');
  });

  it('does not change the base', () => {
    const base = parse(classic);
    buildImageConfig({ base, author: 'x', rootfs: { diffIds: [] }, config: { Labels: new Map() } });
    expect(base).toEqual(parse(classic));
  });

  it('what it writes is read back, and written again the same', () => {
    const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed());
    const texts = fc.uniqueArray(text, { maxLength: 4 });
    const entry = fc.record({ createdBy: text, emptyLayer: fc.boolean() });
    const diffIds = fc.array(
      text.map((value): Digest => digestOf(value)),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(
        texts,
        texts,
        fc.dictionary(text, text),
        fc.array(entry),
        diffIds,
        (env, ports, labels, history, ids) => {
          const config = { Env: env, ExposedPorts: ports, Labels: new Map(Object.entries(labels)) };
          const written = buildImageConfig({
            os: 'linux',
            architecture: 'amd64',
            config,
            history,
            rootfs: { diffIds: ids },
          });
          const base = parseImageConfig(written);
          expect(base.config.Env).toEqual(env);
          expect(new Set(base.config.ExposedPorts)).toEqual(new Set(ports));
          expect(base.config.Labels).toEqual(config.Labels);
          expect(base.rootfs.diffIds).toEqual(ids);
          expect(buildImageConfig({ base })).toEqual(written);
        },
      ),
    );
  });
});
