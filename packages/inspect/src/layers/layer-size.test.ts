import { type TarEntry, toByteString } from '@boxwright/oci';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { layerSize } from './layer-size.ts';
import { PathSizes } from './path-sizes.ts';

function entry(path: string, type: TarEntry['type'], rest: { size?: number; linkName?: string } = {}): TarEntry {
  return {
    path: toByteString(path),
    type,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: rest.size ?? 0,
    mtimeNs: 0n,
    ...(rest.linkName === undefined ? {} : { linkName: toByteString(rest.linkName) }),
  };
}

it('counts files and symlink texts, nothing else', () => {
  const size = layerSize([
    entry('bin', 'directory'),
    entry('bin/tool', 'file', { size: 100 }),
    entry('bin/again', 'hardlink', { linkName: 'bin/tool' }),
    entry('bin/sym', 'symlink', { linkName: 'tool' }),
    entry('bin/中', 'symlink', { linkName: '中' }),
    entry('dev/null', 'char'),
    entry('.wh.gone', 'file', { size: 7 }),
    entry('bin/.wh..wh..opq', 'file', { size: 7 }),
  ]);
  expect(size).toEqual({ bytes: 100 + 4 + 3, danglingHardLinks: 0 });
});

it('counts the last of a repeated path, and the five links of the python image as 36 bytes', () => {
  expect(layerSize([entry('a', 'file', { size: 10 }), entry('a', 'file', { size: 3 })]).bytes).toBe(3);
  const links = ['idle3', 'pip3', 'pydoc3', 'python3', 'python3-config'];
  expect(
    layerSize(links.map((name) => entry(`usr/local/bin/${name.slice(0, -1)}`, 'symlink', { linkName: name }))).bytes,
  ).toBe(36);
});

it('reports hard links to nowhere', () => {
  expect(layerSize([entry('a', 'hardlink', { linkName: 'not/here' })])).toEqual({ bytes: 0, danglingHardLinks: 1 });
});

it('keeps the last number of each path', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 8 }), fc.nat())), (pairs) => {
      const sizes = new PathSizes();
      const map = new Map(pairs);
      for (const [path, size] of pairs) sizes.set(path, size);
      expect(sizes.sum()).toBe([...map.values()].reduce((sum, size) => sum + size, 0));
      for (const [path] of pairs) expect(sizes.has(path)).toBe(true);
      expect(sizes.has('a path that is not there')).toBe(false);
    }),
  );
  const many = new PathSizes();
  for (let index = 0; index < 200_000; index++) many.set(`usr/lib/${index % 997}/file-${index}`, 1);
  for (let index = 0; index < 1000; index++) many.set(`usr/lib/${index % 997}/file-${index}`, 3);
  expect(many.sum()).toBe(202_000);
});
