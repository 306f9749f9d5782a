import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { getXattr, setXattr } from '@boxwright/sys';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toByteString } from '../bytes.ts';
import { LayerIndex } from '../tree/layer-index.ts';
import { describeTree, makeBox, tarOf } from './testing/box.ts';
import { scanned } from './testing/entries.ts';
import { names, pack, unpackInto } from './testing/packing.ts';
import { layerStack } from './testing/stacks.ts';
import { isRoot } from './testing/unpacking.ts';

describe('packDirectory', () => {
  it('writes siblings in the order of their bytes, directories before their content', () => {
    using box = makeBox();
    for (const name of ['b', 'a', 'a.b', 'a-b', 'B', 'é']) mkdirSync(join(box.target, name));
    for (const name of ['a/z', 'a/y', 'a.b/x']) writeFileSync(join(box.target, name), name);
    const packed = pack(box.target);
    const expected = ['B', 'a', 'a/y', 'a/z', 'a-b', 'a.b', 'a.b/x', 'b', 'é'];
    expect(names(packed)).toEqual(expected.map((name) => toByteString(name)));
    expect(packed.result).toEqual({ entries: 9, bytes: 11, whiteouts: 0, skippedSockets: 0, hasXattrs: true });
    expect(packed.members[2]?.content.toString()).toBe('a/y');
  });

  it('writes the same bytes for the same content, whatever the order things were made in', () => {
    using box = makeBox();
    const all = ['x', 'y', 'd/1', 'd/2', 'd/3'];
    const archives = [all, all.toReversed()].map((order, at) => {
      const dir = join(box.target, String(at));
      mkdirSync(join(dir, 'd'), { recursive: true });
      for (const name of order) {
        writeFileSync(join(dir, name), name);
        setXattr(join(dir, name), at === 0 ? 'user.b' : 'user.a', Buffer.from('1'));
        setXattr(join(dir, name), at === 0 ? 'user.a' : 'user.b', Buffer.from('1'));
      }
      return pack(dir, { clampMtimeNs: 1_000_000_000n }).archive;
    });
    expect(archives[0]?.equals(archives[1] ?? Buffer.alloc(0))).toBe(true);
  });

  it('refers hard links to the name that comes first', () => {
    using box = makeBox();
    writeFileSync(join(box.target, 'z'), 'shared');
    mkdirSync(join(box.target, 'a'));
    linkSync(join(box.target, 'z'), join(box.target, 'a/first'));
    linkSync(join(box.target, 'z'), join(box.target, 'm'));
    // A further name outside of the directory means nothing.
    linkSync(join(box.target, 'z'), join(box.dir, 'elsewhere'));
    const packed = pack(box.target);
    expect(packed.members.map(({ entry: { path, type, linkName, size } }) => [path, type, linkName, size])).toEqual([
      ['a', 'directory', undefined, 0],
      ['a/first', 'file', undefined, 6],
      ['m', 'hardlink', 'a/first', 0],
      ['z', 'hardlink', 'a/first', 0],
    ]);
    expect(packed.result.bytes).toBe(6);
  });

  it('clamps times, skips what it is told to, and leaves sockets out', async () => {
    using box = makeBox();
    for (const name of ['keep/x', 'proc/y', 'proc.d/z']) {
      mkdirSync(join(box.target, name, '..'), { recursive: true });
      writeFileSync(join(box.target, name), '');
    }
    utimesSync(join(box.target, 'keep/x'), 5.75, 5.75);
    const server = createServer().listen(join(box.target, 'sock'));
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const asked: string[] = [];
      const packed = pack(box.target, {
        clampMtimeNs: 10_000_000_000n,
        skip: (path) => {
          asked.push(path);
          return path === 'proc';
        },
      });
      expect(names(packed)).toEqual(['keep', 'keep/x', 'proc.d', 'proc.d/z']);
      expect(packed.members.map(({ entry }) => entry.mtimeNs)).toEqual([
        10_000_000_000n,
        5_000_000_000n,
        10_000_000_000n,
        10_000_000_000n,
      ]);
      expect(packed.result.skippedSockets).toBe(1);
      expect(asked).not.toContain('proc/y');
    } finally {
      server.close();
    }
  });

  it('keeps user attributes and drops the others', () => {
    using box = makeBox();
    const path = join(box.target, 'f');
    writeFileSync(path, '');
    setXattr(path, 'user.note', Buffer.from([0, 255]));
    setXattr(path, 'user.overlay.note', Buffer.from('x'));
    if (isRoot) setXattr(path, 'trusted.note', Buffer.from('x'));
    expect(pack(box.target).members[0]?.entry.xattrs).toEqual(new Map([['user.note', Buffer.from([0, 255])]]));
  });

  it.skipIf(!isRoot)('keeps file capabilities (as root: setting them needs it)', () => {
    using box = makeBox();
    writeFileSync(join(box.target, 'ping'), 'x');
    // cap_net_raw=ep, revision 2
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    setXattr(join(box.target, 'ping'), 'security.capability', capability);
    const { archive, members } = pack(box.target);
    expect(members[0]?.entry.xattrs?.get('security.capability')).toEqual(capability);
    unpackInto(join(box.dir, 'again'), archive);
    expect(getXattr(join(box.dir, 'again/ping'), 'security.capability')).toEqual(capability);
  });

  it('refuses a file that would be taken for a whiteout', () => {
    using box = makeBox();
    writeFileSync(join(box.target, '.wh.x'), '');
    expect(() => pack(box.target)).toThrow(expect.objectContaining({ code: 'LAYER_NAME_RESERVED' }));
    expect(names(pack(box.target, { skip: (path) => path === '.wh.x' }))).toEqual([]);
  });

  it('does not follow links, and takes the directory itself through one', () => {
    using box = makeBox();
    symlinkSync(box.outside, join(box.target, 'l'));
    symlinkSync('nowhere', join(box.target, 'dangling'));
    symlinkSync(box.target, join(box.dir, 'link-to-target'));
    for (const dir of [box.target, join(box.dir, 'link-to-target')]) {
      const { members } = pack(dir);
      expect(members.map(({ entry }) => [entry.path, entry.type, entry.linkName])).toEqual([
        ['dangling', 'symlink', 'nowhere'],
        ['l', 'symlink', toByteString(box.outside)],
      ]);
    }
  });

  it('writes the root only when asked to', () => {
    using box = makeBox();
    chmodSync(box.target, 0o711);
    expect(pack(box.target).members).toEqual([]);
    expect(pack(box.target, { includeRoot: true }).members[0]?.entry).toMatchObject({ path: '', mode: 0o711 });
  });

  it('is undone by unpacking, and undoes it', () => {
    fc.assert(
      fc.property(layerStack(isRoot), ([entries = []]) => {
        const lawful = entries.filter(({ path }) => !path.includes('.wh.'));
        try {
          fc.pre(new LayerIndex('', scanned(lawful)).size > 1);
        } catch (error) {
          if (error instanceof Error && 'code' in error) return;
          throw error;
        }
        using box = makeBox();
        unpackInto(box.target, tarOf(lawful));
        const first = pack(box.target, { includeRoot: true });
        unpackInto(join(box.dir, 'again'), first.archive);
        expect(describeTree(join(box.dir, 'again'), 'seconds')).toEqual(describeTree(box.target, 'seconds'));
        expect(pack(join(box.dir, 'again'), { includeRoot: true }).archive.equals(first.archive)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
