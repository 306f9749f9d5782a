import { describe, expect, it } from 'vitest';
import { bytes, directory, file, scanned, symlink } from '../layer/testing/entries.ts';
import { ImageTree } from './image-tree.ts';
import { LayerIndex } from './layer-index.ts';

const base = [
  directory('usr'),
  directory('usr/lib'),
  file('usr/lib/x'),
  file('file'),
  symlink('lib', 'usr/lib'),
  symlink('abs', '/usr/lib'),
  symlink('up', '../../../usr'),
  symlink('chain', 'lib/../../abs'),
  symlink('dangling', 'usr/none/deep'),
  symlink('loop', 'loop2'),
  symlink('loop2', 'loop'),
  symlink('self', 'self/x'),
  symlink('dot', '.'),
  symlink('tofile', 'file'),
];
const image = new ImageTree([() => new LayerIndex('', scanned(base))]);

describe('ImageTree.resolve', () => {
  it.each([
    ['', '', 'directory'],
    ['/', '', 'directory'],
    ['../..', '', 'directory'],
    ['usr/lib/x', 'usr/lib/x', 'file'],
    ['/lib/x', 'usr/lib/x', 'file'],
    ['lib/', 'usr/lib', 'directory'],
    ['abs/./x', 'usr/lib/x', 'file'],
    ['up/lib/x', 'usr/lib/x', 'file'],
    ['chain/x', 'usr/lib/x', 'file'],
    ['lib/../lib', 'usr/lib', 'directory'],
    ['dot/dot/dot/file', 'file', 'file'],
    ['lib/new/deep', 'usr/lib/new/deep', undefined],
    ['lib/new/../x', 'usr/lib/x', 'file'],
    ['nothing/../../file', 'file', 'file'],
    ['dangling', 'usr/none/deep', undefined],
    ['dangling/more', 'usr/none/deep/more', undefined],
    ['tofile', 'file', 'file'],
  ])('%j leads to %j (%s)', (path, expected, type) => {
    const resolved = image.resolve(bytes(path));
    expect(resolved.path).toBe(expected);
    expect(resolved.node?.entry.type).toBe(type);
    expect(resolved.notDirectory).toBeUndefined();
  });

  it('keeps a link in the last component when asked to', () => {
    expect(image.resolve(bytes('up/lib/../../lib'), { followLast: false })).toMatchObject({
      path: 'lib',
      node: { entry: { type: 'symlink' } },
    });
    expect(image.resolve(bytes('loop'), { followLast: false }).node?.entry.linkName).toBe('loop2');
  });

  it('says what is in the way', () => {
    for (const path of ['file/a/b', 'tofile/a/b']) {
      const resolved = image.resolve(bytes(path));
      expect(resolved).toMatchObject({ path: 'file/a/b', notDirectory: { path: 'file' } });
      expect(resolved.node).toBeUndefined();
    }
  });

  it.each(['loop', 'loop/x', 'self'])('refuses the loop %s', (path) => {
    expect(() => image.resolve(bytes(path))).toThrow(expect.objectContaining({ code: 'PATH_LINK_LOOP' }));
  });

  it('follows 255 links in one path, not 256', () => {
    expect(image.resolve(bytes(`${'dot/'.repeat(255)}file`)).path).toBe('file');
    expect(() => image.resolve(bytes(`${'dot/'.repeat(256)}file`))).toThrow(
      expect.objectContaining({ code: 'PATH_LINK_LOOP' }),
    );
  });

  it('refuses a NUL byte', () => {
    expect(() => image.resolve(bytes('a\0b'))).toThrow(expect.objectContaining({ code: 'PATH_INVALID' }));
  });
});
