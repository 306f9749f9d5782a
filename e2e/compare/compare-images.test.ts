import { describe, expect, it } from 'vitest';
import { compareImages } from './compare-images.ts';
import type { ImageSummary, Json, LayerEntry } from './summary.ts';

const OLD = '1600000000.000000000';
const NOW = '1790000000.500000000';

function entry(path: string, more: Partial<LayerEntry> = {}): LayerEntry {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: OLD, xattrs: {}, size: 1, sha256: 'aa', ...more };
}

function directory(path: string, more: Partial<LayerEntry> = {}): LayerEntry {
  const { size: _size, sha256: _sha256, ...rest } = entry(path, { type: 'dir', mode: 0o755 });
  return { ...rest, ...more };
}

function image(layers: LayerEntry[][], more: { config?: Json; history?: Json[]; created?: string } = {}): ImageSummary {
  return {
    imageId: 'sha256:1',
    repoTags: [],
    config: {
      architecture: 'amd64',
      created: more.created ?? '2026-01-01T00:00:02Z',
      config: more.config ?? { Env: ['A=1'] },
      history: more.history ?? [
        { created: '2020-01-01T00:00:00Z', created_by: 'base' },
        { created: '2026-01-01T00:00:01Z', created_by: 'ENV A=1', empty_layer: true },
        { created: '2026-01-01T00:00:02Z', created_by: 'COPY a /a # buildkit' },
      ],
      rootfs: { type: 'layers', diff_ids: layers.map((_, index) => `sha256:${index}`) },
    },
    layers,
  };
}

const base = [directory('d'), entry('d/a'), entry('d/b')];
const whole = image([base, [directory('d'), entry('d/new')]]);

describe('compareImages finds', () => {
  it('nothing in equal images', () => {
    expect(compareImages(whole, whole)).toEqual([]);
  });

  it.each<[string, ImageSummary]>([
    ['a missing file', image([base, []])],
    ['a file too many', image([base, [directory('d'), entry('d/new'), entry('d/more')]])],
    ['another layer count', image([[...base, entry('d/new')]])],
    ['another mode', image([base, [entry('d/new', { mode: 0o600 })]])],
    [
      'a lost setuid bit of the base',
      image([[directory('d'), entry('d/a', { mode: 0o4755 }), entry('d/b')], [entry('d/new')]]),
    ],
    ['another owner', image([base, [entry('d/new', { uid: 1 })]])],
    ['another group', image([base, [entry('d/new', { gid: 1 })]])],
    ['another content of the same size', image([base, [entry('d/new', { sha256: 'bb' })]])],
    ['another mtime', image([base, [entry('d/new', { mtime: '1600000001.000000000' })]])],
    ['the time of the build where one is kept', image([base, [entry('d/new', { mtime: NOW })]])],
    ['a capability', image([base, [entry('d/new', { xattrs: { 'security.capability': '00' } })]])],
    ['another type', image([base, [directory('d/new')]])],
    ['another mode of a directory', image([base, [directory('d', { mode: 0o700 }), entry('d/new')]])],
    ['a file that a layer repeats without need', image([base, [entry('d/a'), entry('d/new')]])],
    ['a path twice in one layer', image([base, [entry('d/new'), entry('d/new')]])],
    ['a file without its directory', image([base, [entry('d/new'), entry('nowhere/x')]])],
    [
      'a hard link where two files should be',
      image([[directory('d'), entry('d/a'), entry('d/b', { type: 'hardlink', link: 'd/a' })], [entry('d/new')]]),
    ],
    ['a whiteout too many', image([base, [entry('d/new'), entry('.wh.nothing', { size: 0 })]])],
    ['another config value', image(whole.layers as LayerEntry[][], { config: { Env: ['A=2'] } })],
    ['null where nothing should be', image(whole.layers as LayerEntry[][], { config: { Env: ['A=1'], Cmd: null } })],
  ])('%s', (_what, changed) => {
    expect(compareImages(whole, changed)).not.toEqual([]);
  });

  it('rows that share a time where they should not', () => {
    const history = [
      { created: '2020-01-01T00:00:00Z', created_by: 'base' },
      { created: '2026-01-01T00:00:02Z', created_by: 'ENV A=1', empty_layer: true },
      { created: '2026-01-01T00:00:02Z', created_by: 'COPY a /a # buildkit' },
    ];
    expect(compareImages(whole, image(whole.layers as LayerEntry[][], { history }))).not.toEqual([]);
  });

  it('a changed time of the base', () => {
    const history = [{ created: '2020-01-01T00:00:01Z', created_by: 'base' }];
    expect(compareImages(whole, image(whole.layers as LayerEntry[][], { history }))).not.toEqual([]);
  });
});

describe('compareImages allows', () => {
  it('other times of the build in the same pattern', () => {
    const history = [
      { created: '2020-01-01T00:00:00Z', created_by: 'base' },
      { created: '2026-05-05T00:00:01Z', created_by: 'ENV A=1', empty_layer: true },
      { created: '2026-05-05T00:00:09Z', created_by: 'COPY a /a # buildkit' },
    ];
    const later = image(whole.layers as LayerEntry[][], { history, created: '2026-05-05T00:00:09Z' });
    expect(compareImages(whole, later)).toEqual([]);
  });

  it('a directory repeated unchanged, or not', () => {
    expect(compareImages(whole, image([base, [entry('d/new')]]))).toEqual([]);
  });

  it('any time of a directory that the reference touched', () => {
    const touched = image([base, [directory('d', { mtime: NOW }), entry('d/new')]]);
    expect(compareImages(touched, image([base, [entry('d/new')]]))).toEqual([]);
  });

  it('a user xattr where the reference has none, and not the other way round', () => {
    const tagged = image([base, [entry('d/new', { xattrs: { 'user.x': '00' } })]]);
    expect(compareImages(whole, tagged)).toEqual([]);
    expect(compareImages(tagged, whole)).not.toEqual([]);
  });

  it('an opaque marker where nothing was below', () => {
    const one = image([base, [directory('new'), entry('new/x')]]);
    const two = image([base, [directory('new'), entry('new/.wh..wh..opq', { size: 0 }), entry('new/x')]]);
    expect(compareImages(one, two)).toEqual([]);
    const hiding = image([
      base,
      [directory('d'), entry('d/.wh..wh..opq', { size: 0 }), entry('d/a'), entry('d/b'), entry('d/new')],
    ]);
    expect(compareImages(hiding, image([base, [entry('d/a'), entry('d/b'), entry('d/new')]]))).not.toEqual([]);
  });

  it('differences that are named', () => {
    const changed = image([base, [entry('d/new', { mode: 0o600 })]]);
    expect(compareImages(whole, changed, { ignore: ['layer 1: /d/new'] })).toEqual([]);
    expect(compareImages(whole, changed, { ignore: ['layer 1: /d/other'] })).not.toEqual([]);
  });
});

describe('flattening', () => {
  it('removes by whiteout and opaque marker before it adds', () => {
    const one = [directory('d'), entry('d/a'), directory('e'), entry('e/x'), directory('e/sub'), entry('e/sub/y')];
    const two = [entry('d/.wh.a', { size: 0 }), directory('e'), entry('e/.wh..wh..opq', { size: 0 }), entry('e/z')];
    const other = [entry('d/.wh.a', { size: 0 }), entry('.wh.e', { size: 0 }), directory('e'), entry('e/z')];
    const differences = compareImages(image([one, two]), image([one, other]));
    expect(differences.every((line) => line.includes('.wh.'))).toBe(true);
    expect(differences).toHaveLength(2);
  });
});
