import { describe, expect, it } from 'vitest';
import { bytes } from './testing/entries.ts';
import { opaqueWhiteoutPath, parseWhiteout, whiteoutPath } from './whiteout.ts';

describe('parseWhiteout', () => {
  it.each([
    ['etc/passwd', undefined],
    ['a.wh.b', undefined],
    ['.who', undefined],
    ['.wh.a', { kind: 'remove', path: 'a' }],
    ['etc/.wh.passwd', { kind: 'remove', path: 'etc/passwd' }],
    ['etc/.wh....', { kind: 'remove', path: 'etc/...' }],
    ['.wh..wh..opq', { kind: 'opaque', path: '' }],
    ['etc/.wh..wh..opq', { kind: 'opaque', path: 'etc' }],
    ['.wh..wh.aufs', { kind: 'ignored' }],
    ['.wh..wh.plnk/12.34', { kind: 'ignored' }],
  ])('%j', (path, expected) => {
    expect(parseWhiteout(bytes(path))).toEqual(expected);
  });

  it.each(['.wh.', '.wh..', '.wh...', 'etc/.wh.', 'etc/.wh..', '.wh.a/b'])('U5: refuses %j', (path) => {
    expect(() => parseWhiteout(bytes(path))).toThrow(expect.objectContaining({ code: 'LAYER_WHITEOUT_INVALID' }));
  });

  it('reads back what it names', () => {
    expect(parseWhiteout(whiteoutPath(bytes('a/b')))).toEqual({ kind: 'remove', path: 'a/b' });
    expect(parseWhiteout(whiteoutPath(bytes('b')))).toEqual({ kind: 'remove', path: 'b' });
    expect(parseWhiteout(opaqueWhiteoutPath(bytes('')))).toEqual({ kind: 'opaque', path: '' });
    expect(parseWhiteout(opaqueWhiteoutPath(bytes('a/b')))).toEqual({ kind: 'opaque', path: 'a/b' });
  });
});
