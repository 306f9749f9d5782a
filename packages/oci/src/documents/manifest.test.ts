import { describe, expect, it } from 'vitest';
import { digestOf } from '../names/digest.ts';
import { type Descriptor, descriptorOf } from './descriptor.ts';
import { documentLimits } from './limits.ts';
import { parseIndex, parseManifest, parseManifestOrIndex } from './manifest.ts';
import * as types from './media-types.ts';
import { serializeIndex, serializeManifest } from './serialize.ts';

const digest = digestOf('');
const configDescriptor = { mediaType: types.OCI_CONFIG, digest, size: 0 };
const layer = { mediaType: types.OCI_LAYER_GZIP, digest, size: 7 };
const manifest = { schemaVersion: 2, mediaType: types.OCI_MANIFEST, config: configDescriptor, layers: [layer] };
const entry = { mediaType: types.OCI_MANIFEST, digest, size: 1, platform: { architecture: 'amd64', os: 'linux' } };
const index = { schemaVersion: 2, mediaType: types.OCI_INDEX, manifests: [entry] };

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const refusal = (code: string, message: string | RegExp = '') =>
  expect.objectContaining({
    code,
    message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
  });
const read =
  (value: unknown, options = {}) =>
  () =>
    parseManifestOrIndex(bytes(value), options);

describe('parseManifest', () => {
  it('gives typed fields and keeps the bytes and unknown members', () => {
    const text = ` ${JSON.stringify({ ...manifest, annotations: { a: 'b' }, extra: [1.5] })}\n`;
    const document = parseManifest(bytes(text));
    expect(document).toMatchObject({
      kind: 'manifest',
      mediaType: types.OCI_MANIFEST,
      config: configDescriptor,
      layers: [layer],
    });
    expect(document.annotations).toEqual(new Map([['a', 'b']]));
    expect(document.raw.toString()).toBe(text);
    expect(document.json.get('extra')).toEqual([1.5]);
  });

  it('reads all members of a descriptor', () => {
    const full = {
      ...layer,
      urls: ['https://example.com/x'],
      annotations: { k: 'v' },
      artifactType: 'application/x',
      platform: {
        architecture: 'arm64',
        os: 'windows',
        variant: 'v8',
        'os.version': '10.0',
        'os.features': ['win32k'],
      },
    };
    const [parsed] = parseManifest(bytes({ ...manifest, layers: [full] })).layers;
    const platform = { os: 'windows', architecture: 'arm64', variant: 'v8', osVersion: '10.0', osFeatures: ['win32k'] };
    expect(parsed).toEqual({ ...full, annotations: new Map([['k', 'v']]), platform });
  });

  it.each([
    ['a Docker manifest', { ...manifest, mediaType: types.DOCKER_MANIFEST }, 'manifest', types.DOCKER_MANIFEST],
    ['a manifest without mediaType', { ...manifest, mediaType: undefined }, 'manifest', types.OCI_MANIFEST],
    ['a manifest without layers', { ...manifest, layers: null }, 'manifest', types.OCI_MANIFEST],
    ['an index without mediaType', { ...index, mediaType: undefined }, 'index', types.OCI_INDEX],
    ['a manifest list', { ...index, mediaType: types.DOCKER_MANIFEST_LIST }, 'index', types.DOCKER_MANIFEST_LIST],
    ['an empty index', { schemaVersion: 2, manifests: [] }, 'index', types.OCI_INDEX],
    ['an artifact', { ...manifest, artifactType: 'application/x', subject: entry }, 'manifest', types.OCI_MANIFEST],
  ])('reads %s', (_name, value, kind, mediaType) => {
    expect(parseManifestOrIndex(bytes(value))).toMatchObject({ kind, mediaType });
  });

  it('tells the two kinds apart', () => {
    expect(() => parseManifest(bytes(index))).toThrow(refusal('DOCUMENT_TYPE_MISMATCH', 'this is an index'));
    expect(() => parseIndex(bytes(manifest))).toThrow(refusal('DOCUMENT_TYPE_MISMATCH', 'this is a manifest'));
    expect(parseIndex(bytes(index)).manifests).toHaveLength(1);
  });

  it.each([
    ['schema 1', { schemaVersion: 1, fsLayers: [], history: [] }, 'DOCUMENT_UNSUPPORTED'],
    ['another type', { ...manifest, mediaType: 'application/\u001b[0m' }, 'DOCUMENT_UNSUPPORTED'],
    ['no schemaVersion', { ...manifest, schemaVersion: undefined }, 'DOCUMENT_INVALID'],
    ['no config', { ...manifest, config: undefined }, 'DOCUMENT_INVALID'],
  ])('refuses %s', (_name, value, code) => {
    expect(read(value)).toThrow(refusal(code, /^[ -~]*$/));
  });
});

describe('D1: digests are checked before any use', () => {
  it.each(['', 'sha256:../../../etc/passwd', `sha256:${'A'.repeat(64)}`, `sha1:${'a'.repeat(40)}`, `${digest}/..`])(
    '%j',
    (bad) => {
      expect(read({ ...manifest, layers: [layer, { ...layer, digest: bad }] })).toThrow(
        refusal('DOCUMENT_INVALID', 'layers[1].digest is not a sha256 or sha512 digest'),
      );
      expect(read({ ...manifest, config: { ...configDescriptor, digest: bad } })).toThrow(
        refusal('DOCUMENT_INVALID', 'config.digest'),
      );
      expect(read({ ...index, manifests: [{ ...entry, digest: bad }] })).toThrow(
        refusal('DOCUMENT_INVALID', 'manifests[0].digest'),
      );
      expect(read({ ...manifest, subject: { ...entry, digest: bad } })).toThrow(
        refusal('DOCUMENT_INVALID', 'subject.digest'),
      );
    },
  );
});

describe('D2: type, digest and size of the descriptor are all compared', () => {
  const raw = bytes(manifest);
  const good = descriptorOf(raw, types.OCI_MANIFEST);

  it('takes the right bytes, also by sha512', () => {
    expect(parseManifest(raw, { descriptor: good }).layers).toHaveLength(1);
    expect(parseManifest(raw, { descriptor: { ...good, digest: digestOf(raw, 'sha512') } }).layers).toHaveLength(1);
  });

  it.each<[string, Descriptor, string]>([
    ['size', { ...good, size: good.size + 1 }, 'BLOB_MISMATCH'],
    ['digest', { ...good, digest: digestOf('other') }, 'BLOB_MISMATCH'],
    ['mediaType', { ...good, mediaType: types.DOCKER_MANIFEST }, 'DOCUMENT_TYPE_MISMATCH'],
    ['mediaType of the other kind', { ...good, mediaType: types.OCI_INDEX }, 'DOCUMENT_TYPE_MISMATCH'],
  ])('refuses another %s', (_name, descriptor, code) => {
    expect(() => parseManifest(raw, { descriptor })).toThrow(refusal(code));
  });
});

describe('D3: no document is both a manifest and an index', () => {
  it.each([
    ['manifests beside layers', { schemaVersion: 2, manifests: [entry], layers: [layer] }],
    ['manifests beside config', { schemaVersion: 2, manifests: [entry], config: configDescriptor }],
    ['an index with layers', { ...index, layers: [] }],
    ['a manifest with manifests', { ...manifest, manifests: [] }],
    ['an index type on a manifest', { ...manifest, mediaType: types.OCI_INDEX }],
    ['a manifest type on an index', { ...index, mediaType: types.OCI_MANIFEST }],
  ])('%s', (_name, value) => {
    expect(read(value)).toThrow(refusal('DOCUMENT_TYPE_MISMATCH'));
  });

  it('compares the Content-Type, parameters aside', () => {
    expect(read(manifest, { mediaType: `${types.OCI_MANIFEST}; charset=utf-8` })).not.toThrow();
    expect(read(manifest, { mediaType: types.DOCKER_MANIFEST })).toThrow(refusal('DOCUMENT_TYPE_MISMATCH'));
    expect(read({ ...manifest, mediaType: undefined }, { mediaType: types.OCI_INDEX })).toThrow(
      refusal('DOCUMENT_TYPE_MISMATCH'),
    );
  });

  it.each(['Manifests', 'MANIFESTS', 'manife\u017fts'])('refuses %s, which Go takes for manifests', (name) => {
    expect(read({ ...manifest, [name]: [entry] })).toThrow(refusal('DOCUMENT_INVALID', 'is too like manifests'));
    expect(read({ ...manifest, layers: [{ ...layer, Digest: digest }] })).toThrow(
      refusal('DOCUMENT_INVALID', 'layers[0].Digest'),
    );
  });
});

describe('D4: bounds', () => {
  it('documents', () => {
    const padded = JSON.stringify(manifest).padEnd(documentLimits.manifestBytes + 1);
    expect(read(padded)).toThrow(refusal('DOCUMENT_TOO_LARGE'));
    expect(read(padded.slice(0, -1))).not.toThrow();
  });

  it('layers and index entries', () => {
    expect(read({ ...manifest, layers: Array.from({ length: 1000 }, () => layer) })).not.toThrow();
    expect(read({ ...manifest, layers: Array.from({ length: 1001 }, () => layer) })).toThrow(
      refusal('DOCUMENT_INVALID', 'layers has more than 1000'),
    );
    expect(read({ ...index, manifests: Array.from({ length: 10_001 }, () => entry) })).toThrow(
      refusal('DOCUMENT_INVALID', 'more than 10000'),
    );
  });

  it('depth', () => {
    expect(read(`{"a":${'['.repeat(100_000)}`)).toThrow(refusal('DOCUMENT_INVALID', 'more than 64 levels'));
  });
});

describe('D5: wrong types are refused', () => {
  const withLayer = (change: object) => ({ ...manifest, layers: [{ ...layer, ...change }] });

  it.each<[string, unknown, string]>([
    ['null', 'null', 'is not a JSON object'],
    ['an array', '[]', 'is not a JSON object'],
    ['a string', '"x"', 'is not a JSON object'],
    ['nothing', '', 'is not valid JSON'],
    ['a byte order mark', `\ufeff${JSON.stringify(manifest)}`, 'byte order mark'],
    ['duplicate keys', JSON.stringify(manifest).replace('{', '{"layers":[],'), 'duplicate key'],
    ['layers as an object', { ...manifest, layers: {} }, 'layers is not an array'],
    ['a layer that is null', { ...manifest, layers: [null] }, 'layers[0] is not an object'],
    ['a layer that is an array', { ...manifest, layers: [[]] }, 'layers[0] is not an object'],
    ['config as an array', { ...manifest, config: [] }, 'config is not an object'],
    ['a float size', withLayer({ size: 1.5 }), 'layers[0].size is not an integer'],
    ['a negative size', withLayer({ size: -1 }), 'layers[0].size is negative'],
    ['a size as text', withLayer({ size: '7' }), 'layers[0].size is not an integer'],
    ['a missing size', withLayer({ size: undefined }), 'layers[0].size is missing'],
    ['a size of null', withLayer({ size: null }), 'layers[0].size is missing'],
    ['a size written as a float', JSON.stringify(manifest).replace('"size":7', '"size":7.0'), 'is not an integer'],
    [
      'a size beyond 53 bits',
      JSON.stringify(manifest).replace('"size":7', '"size":9007199254740993'),
      'is not an integer',
    ],
    ['a size beyond doubles', JSON.stringify(manifest).replace('"size":7', '"size":1e400'), 'too large'],
    ['a media type that is none', withLayer({ mediaType: 'x' }), 'layers[0].mediaType is not a media type'],
    ['a missing media type', withLayer({ mediaType: undefined }), 'layers[0].mediaType is missing'],
    ['a digest as a number', withLayer({ digest: 1 }), 'layers[0].digest is not a string'],
    ['urls as text', withLayer({ urls: 'x' }), 'layers[0].urls is not an array'],
    ['urls of numbers', withLayer({ urls: [1] }), 'layers[0].urls[0] is not a string'],
    ['annotations as an array', { ...manifest, annotations: [] }, 'annotations is not an object'],
    ['annotations of numbers', { ...manifest, annotations: { a: 1 } }, 'annotations["a"] is not a string'],
    ['mediaType as a number', { ...manifest, mediaType: 1 }, 'mediaType is not a string'],
  ])('%s', (_name, value, message) => {
    expect(read(value)).toThrow(refusal('DOCUMENT_INVALID', message));
  });
});

describe('D6: names from outside never reach a prototype', () => {
  it('annotations', () => {
    const text = JSON.stringify(manifest).replace(
      '{',
      '{"annotations":{"__proto__":"a","constructor":"b"},"__proto__":{"layers":1},',
    );
    const document = parseManifest(bytes(text));
    expect([...document.annotations]).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(document.layers).toHaveLength(1);
    expect(serializeManifest(document).toString()).toContain('"__proto__": "a"');
  });
});

describe('serializeManifest and serializeIndex', () => {
  it('write what BuildKit writes', () => {
    const annotated = {
      ...layer,
      annotations: new Map([
        ['b', '<x>'],
        ['a', ''],
      ]),
    };
    const written = serializeManifest({
      config: configDescriptor,
      layers: [annotated],
      annotations: new Map([['k', 'v']]),
    });
    expect(written.toString()).toBe(`{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "${digest}",
    "size": 0
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
      "digest": "${digest}",
      "size": 7,
      "annotations": {
        "a": "",
        "b": "\\u003cx\\u003e"
      }
    }
  ],
  "annotations": {
    "k": "v"
  }
}`);
  });

  it('are read back', () => {
    const full = {
      mediaType: types.DOCKER_MANIFEST_LIST,
      manifests: [
        {
          mediaType: types.DOCKER_MANIFEST,
          digest,
          size: 3,
          urls: ['u'],
          annotations: new Map([['__proto__', 'x']]),
          platform: { os: 'linux', architecture: 'arm', variant: 'v6', osVersion: '1', osFeatures: ['f'] },
          artifactType: 'application/y',
        },
      ],
      subject: { mediaType: types.OCI_MANIFEST, digest, size: 1 },
      artifactType: 'application/x',
      annotations: new Map([['a', 'b']]),
    };
    expect(parseIndex(serializeIndex(full))).toMatchObject(full);
    const empty = parseManifest(
      serializeManifest({ mediaType: types.DOCKER_MANIFEST, config: configDescriptor, layers: [] }),
    );
    expect(empty).toMatchObject({ mediaType: types.DOCKER_MANIFEST, layers: [], config: configDescriptor });
  });
});
