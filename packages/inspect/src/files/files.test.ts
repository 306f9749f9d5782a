import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  digestOf,
  fromByteString,
  type ImageLayer,
  type ImageSource,
  ImageStore,
  OCI_LAYER_GZIP,
  TarReader,
  TarWriter,
  toByteString,
} from '@boxwright/oci';
import { schemaErrors } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Entry, layerTar } from '../testing/layer-tar.ts';
import { measureEfficiency } from './efficiency.ts';
import { exportTar } from './export-tar.ts';
import { changeRows, type FileRow, treeRows } from './file-rows.ts';
import { filesJson, wasteJson } from './files-json.ts';
import { fileLines, fileTree, modeText } from './files-text.ts';
import { ImageFiles, treeOf } from './image-files.ts';
import { layerChanges } from './layer-changes.ts';
import { namePattern } from './name-pattern.ts';
import { checkWaste } from './waste-rules.ts';

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-files-'));
  store = ImageStore.open(join(root, 'store'));
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

/** An image at a place that counts which layers are read. */
function imageOf(...layers: readonly (readonly Entry[])[]): {
  files: ImageFiles;
  read: number[];
  layers: ImageLayer[];
} {
  const blobs = layers.map((specs) => {
    const tar = layerTar(specs);
    const blob = gzipSync(tar);
    return {
      blob,
      layer: {
        descriptor: { mediaType: OCI_LAYER_GZIP, digest: digestOf(blob), size: blob.length },
        diffId: digestOf(tar),
      },
    };
  });
  const read: number[] = [];
  const source: ImageSource = {
    description: 'a test',
    has: async () => true,
    readDocument: async () => Buffer.alloc(0),
    async *readBlob({ digest }) {
      const number = blobs.findIndex(({ layer }) => layer.descriptor.digest === digest);
      read.push(number + 1);
      yield blobs[number]?.blob ?? Buffer.alloc(0);
    },
  };
  const all = blobs.map(({ layer }) => layer);
  return { files: new ImageFiles(store, source, all), read, layers: all };
}

const base: readonly Entry[] = [
  { path: 'etc' },
  { path: 'etc/conf', content: 'old', mtimeNs: 1n },
  { path: 'etc/same', content: 'same' },
  { path: 'etc/gone', content: '12345' },
  { path: 'var' },
  { path: 'var/cache' },
  { path: 'var/cache/a', content: 'aaaa' },
  { path: 'var/cache/b', content: 'bb' },
  { path: 'opt' },
  { path: 'opt/x', content: 'x' },
  { path: 'opt/y', content: 'y' },
  { path: 'bin', type: 'symlink', link: 'usr/bin' },
  { path: 'usr/bin/tool', content: '#!', mode: 0o4755 },
];
const second: readonly Entry[] = [
  { path: 'etc' },
  { path: 'etc/conf', content: 'new!', mtimeNs: 2n },
  { path: 'etc/same', content: 'same' },
  { path: 'etc/.wh.gone', content: '' },
  { path: 'etc/new', content: 'n' },
  { path: 'etc-side', content: '' },
  { path: 'var/.wh.cache', content: '' },
  { path: 'opt/.wh..wh..opq', content: '' },
  { path: 'opt/y', content: 'y', uid: 5 },
  { path: '.wh.nothing', content: '' },
];

async function changesOf(files: ImageFiles, layer: number): Promise<FileRow[]> {
  const listings = await files.listings();
  const listing = await files.listing(layer - 1);
  const lower = listings.slice(0, layer - 1);
  const changes = layerChanges(listing, lower, treeOf(lower.map(({ index }) => index)));
  return [...changeRows(changes, listing, { layer, from: toByteString('') })];
}

describe('layerChanges', () => {
  it('says what a layer adds, changes and removes', async () => {
    const rows = await changesOf(imageOf(base, second).files, 2);
    const short = rows.map(({ path, change, changed, content }) => [path, change, changed ?? content]);
    expect(short).toEqual([
      ['/etc/conf', 'changed', ['content', 'time']],
      ['/etc/gone', 'removed', { files: 1, bytes: 5 }],
      ['/etc/new', 'added', undefined],
      ['/etc/same', 'changed', []],
      ['/etc-side', 'added', undefined],
      ['/opt/x', 'removed', { files: 1, bytes: 1 }],
      ['/opt/y', 'changed', ['owner']],
      ['/var/cache', 'removed', { files: 2, bytes: 6 }],
    ]);
    const first = await changesOf(imageOf(base).files, 1);
    expect(first.every(({ change }) => change === 'added')).toBe(true);
    expect(first).toHaveLength(base.length);
  });

  it('knows a file that is the same but for its time, and one that is not although size and time are', async () => {
    const [before, after] = [
      [
        { path: 'a', content: 'one', mtimeNs: 1n },
        { path: 'b', content: 'one' },
      ],
      [
        { path: 'a', content: 'one', mtimeNs: 2n },
        { path: 'b', content: 'two' },
      ],
    ] as const;
    const rows = await changesOf(imageOf(before, after).files, 2);
    expect(rows.map(({ changed }) => changed)).toEqual([['time'], ['content']]);
  });

  it('compares directories by what they say of themselves, and types first', async () => {
    const rows = await changesOf(
      imageOf(
        [{ path: 'd' }, { path: 'e', mode: 0o700 }, { path: 'f', content: 'f' }],
        [{ path: 'd' }, { path: 'e', mode: 0o711 }, { path: 'f', type: 'symlink', link: 'd' }],
      ).files,
      2,
    );
    expect(rows.map(({ path, changed }) => [path, changed])).toEqual([
      ['/e', ['mode']],
      ['/f', ['type']],
    ]);
  });
});

describe('ImageFiles', () => {
  it('lists the merged tree with where each path comes from', async () => {
    const { files } = imageOf(base, second);
    const tree = await files.tree();
    const from = await files.find(toByteString('/etc'));
    const rows = [...treeRows(tree, await files.listings(), { from, recursive: false })];
    expect(rows.map(({ path, layer, layers }) => [path, layer, layers])).toEqual([
      ['/etc/conf', 2, [1, 2]],
      ['/etc/new', 2, [2]],
      ['/etc/same', 2, [1, 2]],
    ]);
    const top = await files.find(toByteString('/'));
    const deep = [...treeRows(tree, await files.listings(), { from: top, recursive: true })];
    expect(deep.map(({ path }) => path)).toContain('/usr/bin/tool');
    const summed = [...treeRows(tree, await files.listings(), { from: top, recursive: false })];
    expect(summed.find(({ path }) => path === '/etc')?.content).toEqual({ files: 3, bytes: 9 });
    const found = [
      ...treeRows(tree, await files.listings(), { from: top, recursive: false, matches: namePattern('*o*') }),
    ];
    expect(found.map(({ path }) => path)).toEqual(['/etc/conf', '/opt', '/usr/bin/tool']);
  });

  it('reads no more layers than a path needs, and follows links inside the image', async () => {
    const { files, read } = imageOf(base, second, [{ path: 'top', content: 'top' }]);
    expect((await files.find(toByteString('top'))).layer).toBe(2);
    expect(read).toEqual([3]);
    expect(fromByteString((await files.find(toByteString('/bin/../bin/tool'))).path)).toBe('usr/bin/tool');
    expect(read).toEqual([3, 2, 1]);
    await expect(files.find(toByteString('/etc/gone'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(files.find(toByteString('/top/x'))).rejects.toThrow('/top is a file');
    const directory = await files.find(toByteString('etc'));
    expect(() => files.read(directory)).toThrowError(expect.objectContaining({ code: 'NOT_A_FILE' }));
  });

  it('learns of each layer once', async () => {
    const first = imageOf(base, second);
    await first.files.listings();
    const again = imageOf(base, second);
    expect(await again.files.listings()).toHaveLength(2);
    expect(again.read).toEqual([]);
  });

  it('exports a path as a tar that holds nothing else', async () => {
    const { files } = imageOf(
      [
        { path: 'srv/app/a', content: 'first' },
        { path: 'srv/app/link', type: 'symlink', link: '../../etc' },
        { path: 'srv/app/empty', content: '' },
        { path: 'srv/other', content: 'no' },
      ],
      [
        { path: 'srv/app/z', content: 'z'.repeat(3000) },
        { path: 'srv/app/hard', type: 'hardlink', link: 'srv/app/z' },
        { path: 'srv/app/b', content: 'b' },
      ],
    );
    const parts: Buffer[] = [];
    const top = await files.find(toByteString('/srv/app'));
    const options = { top, name: toByteString('out') };
    await exportTar(files, await files.tree(), options, (bytes) => parts.push(Buffer.from(bytes)));
    const seen: [string, string, string | number][] = [];
    const contents = new Map<string, string>();
    const reader = new TarReader({
      entry: ({ path, type, size, linkName }) => seen.push([path, type, linkName ?? size]),
      data: (chunk) => {
        const path = seen.at(-1)?.[0] ?? '';
        contents.set(path, (contents.get(path) ?? '') + chunk.toString());
      },
    });
    reader.push(Buffer.concat(parts));
    reader.end();
    expect(seen).toEqual([
      ['out', 'directory', 0],
      ['out/link', 'symlink', '../../etc'],
      ['out/empty', 'file', 0],
      ['out/a', 'file', 5],
      ['out/hard', 'file', 3000],
      ['out/z', 'hardlink', 'out/hard'],
      ['out/b', 'file', 1],
    ]);
    expect(contents.get('out/a')).toBe('first');
    expect(contents.get('out/hard')).toBe('z'.repeat(3000));
  });
});

describe('measureEfficiency', () => {
  it('counts as dive does', async () => {
    const indexes = (await imageOf(base, second).files.listings()).map(({ index }) => index);
    const { score, wastedBytes, userWastedRatio, bytes, userBytes, wasted } = measureEfficiency(indexes);
    const paths = wasted.map((path) => [fromByteString(path.path), path.count, path.bytes]);
    // A removed file has no size, and what was in a removed directory counts once more, under the directory's name.
    expect(paths).toEqual([
      ['etc/same', 2, 8],
      ['etc/conf', 2, 7],
      ['etc/gone', 2, 5],
      ['opt/y', 2, 2],
    ]);
    expect([wastedBytes, bytes, userBytes]).toEqual([22, 32, 10]);
    expect(userWastedRatio).toBeCloseTo(2.2);
    // conf 3 of 7, same 4 of 8, gone 0 of 5, y 1 of 2; a 4, b 2, x 1, tool 2, new 1 and the directory 6 once each.
    expect(score).toBeCloseTo((3 + 4 + 0 + 1 + 16) / (7 + 8 + 5 + 2 + 16));
  });

  it('finds nothing wrong with an empty image', () => {
    expect(measureEfficiency([])).toMatchObject({ score: 1, wastedBytes: 0, userWastedRatio: 0 });
  });
});

describe('text', () => {
  it('is safe to print, and shows links, modes and changes', async () => {
    const { files } = imageOf(
      [
        { path: 'a' },
        { path: 'a/\u001b[2J', content: 'x', uid: 1000, gid: 50 },
        { path: 'l', type: 'symlink', link: 'a\nb' },
      ],
      [
        { path: 'a/b/c', content: 'c'.repeat(1500) },
        { path: '.wh.l', content: '' },
      ],
    );
    const from = await files.find(toByteString('/'));
    const rows = [...treeRows(await files.tree(1), await files.listings(), { from, recursive: true })];
    expect([...fileLines(rows)].join('')).toBe(
      [
        'drwxr-xr-x  0:0                        1  /a/',
        '-rw-r--r--  1000:50           1.00B    1  /a/\\x1b[2J',
        'lrw-r--r--  0:0                        1  /l -> a\\nb',
        '',
      ].join('\n'),
    );
    expect([...fileTree(await changesOf(files, 2))].join('')).toBe(
      '  a/\n    b/\nA     c  1.50KB\nR l -> a\\nb  0.00B\n',
    );
  });

  it('writes modes as ls does', () => {
    const texts = ['4755', '4644', '2711', '1777', '0000'].map((mode) => modeText({ type: 'file', mode }));
    expect(texts).toEqual(['-rwsr-xr-x', '-rwSr--r--', '-rwx--s--x', '-rwxrwxrwt', '----------']);
  });
});

describe('JSON', () => {
  const schema = (name: string): unknown =>
    JSON.parse(readFileSync(new URL(`../../../../docs/schema/${name}.schema.json`, import.meta.url), 'utf8'));

  it('is as its schema says', async () => {
    const odd: readonly Entry[] = [
      { path: 'dev/null', type: 'char', devMajor: 1, devMinor: 3, mtimeNs: -1_500_000_001n },
      { path: '__proto__', content: 'x', mtimeNs: 253_402_300_800_000_000_000n },
      { path: 'hard', type: 'hardlink', link: '__proto__' },
      { path: 'fifo', type: 'fifo' },
      { path: '\u001b]0;x', content: '' },
    ];
    const { files, layers } = imageOf(base, second, odd);
    const image = { digest: digestOf(Buffer.from('manifest')), diffIds: layers.map(({ diffId }) => diffId) };
    const from = await files.find(toByteString('/'));
    for (const recursive of [true, false]) {
      const rows = [...treeRows(await files.tree(), await files.listings(), { from, recursive })];
      const text = [...filesJson(image, rows, undefined)].join('');
      expect(text).not.toContain('\u001b');
      expect(schemaErrors(schema('files'), JSON.parse(text))).toEqual([]);
      if (recursive) {
        expect(rows.find(({ path }) => path === '/dev/null')?.modified).toBe('1969-12-31T23:59:58.499999999Z');
        expect(rows.find(({ path }) => path === '/__proto__')?.modified).toBeUndefined();
      }
    }
    const changed = [...filesJson(image, await changesOf(files, 2), 2)].join('');
    expect(schemaErrors(schema('files'), JSON.parse(changed))).toEqual([]);
    expect(JSON.parse([...filesJson(image, [], undefined)].join(''))).toMatchObject({ files: [] });
    const efficiency = measureEfficiency((await files.listings()).map(({ index }) => index));
    const rules = checkWaste(efficiency, { lowestEfficiency: 0.5, highestWastedBytes: 0, highestUserWastedPercent: 1 });
    expect(schemaErrors(schema('waste'), JSON.parse(wasteJson(image, efficiency, rules)))).toEqual([]);
  });

  it('has the bytes of names that are not UTF-8', async () => {
    const parts: Buffer[] = [];
    const tar = new TarWriter((chunk) => parts.push(Buffer.from(chunk)));
    const path = toByteString(Buffer.from([0x61, 0xff]));
    tar.writeEntry({ path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtimeNs: 0n });
    tar.endEntry();
    tar.finish();
    const bytes = Buffer.concat(parts);
    const blob = store.createBlob();
    blob.write(bytes);
    const { digest } = blob.commit();
    const layer = { descriptor: { mediaType: OCI_LAYER_GZIP, digest, size: bytes.length }, diffId: digest };
    const files = new ImageFiles(store, emptyPlace, [layer]);
    const from = await files.find(toByteString('/'));
    const [row] = treeRows(await files.tree(), await files.listings(), { from, recursive: false });
    expect(row).toMatchObject({ path: '/a\ufffd', pathBytes: Buffer.from('/a\xff', 'latin1').toString('base64') });
  });
});

const emptyPlace: ImageSource = {
  description: 'nowhere',
  has: async () => false,
  readDocument: async () => Buffer.alloc(0),
  async *readBlob() {
    yield Buffer.alloc(0);
  },
};
