import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ByteString } from '../bytes.ts';
import type { TarEntry } from '../tar/entry.ts';
import { describeTree, makeBox, tarOf } from './testing/box.ts';
import { charDevice, directory, fifo, file, hardlink, symlink } from './testing/entries.ts';
import { pack, unpackInto } from './testing/packing.ts';
import { isRoot } from './testing/unpacking.ts';

describe.skipIf(!isRoot)('beside GNU tar (as root: owners and devices need it)', () => {
  const odd = Buffer.from([0xe4, 0xff]).toString('latin1') as ByteString;
  const at = { mtimeNs: 1_500_000_000_123_456_789n };
  const entries: TarEntry[] = [
    directory('.', { ...at, mode: 0o751 }),
    directory('locked', { ...at, mode: 0 }),
    file('locked/x', { ...at, mode: 0o400, size: 10 }),
    // All of a directory in a row: GNU tar sets its time when the archive leaves it.
    directory('d', { ...at, mode: 0o1777, uid: 7, gid: 8 }),
    file('d/setuid', { ...at, mode: 0o4755, uid: 1000, gid: 1000, size: 600 }),
    hardlink('d/again', 'd/setuid', at),
    symlink('d/l', 'no where', { ...at, uid: 9, gid: 9 }),
    hardlink('d/l2', 'd/l', at),
    charDevice('d/null', 1, 3, { ...at, mode: 0o666 }),
    { ...charDevice('d/disk', 253, 70000, at), type: 'block' },
    fifo('d/pipe', { ...at, mode: 0o600, uid: 3 }),
    file(`${'long/'.repeat(30)}name`, { ...at, uid: 3_000_000, gid: 4_000_000, size: 1 }),
    { ...file('x', { ...at, size: 3 }), path: odd },
    file('attributes', { ...at, xattrs: new Map([['user.k', Buffer.from([1, 0, 2])]]) }),
    file('old', { mtimeNs: -5_000_000_000n }),
  ];

  it('unpacks what GNU tar unpacks', () => {
    using box = makeBox();
    const archive = tarOf(entries);
    writeFileSync(join(box.dir, 'layer.tar'), archive);
    mkdirSync(join(box.dir, 'gnu'));
    const flags = ['-xpf', join(box.dir, 'layer.tar'), '-C', join(box.dir, 'gnu')];
    const run = spawnSync('tar', ['--xattrs', '--xattrs-include=*', '--numeric-owner', ...flags], { encoding: 'utf8' });
    expect(run.stderr.replace(/.*implausibly old time stamp.*\n/g, '')).toBe('');
    unpackInto(box.target, archive);
    const ours = describeTree(box.target);
    const theirs = describeTree(join(box.dir, 'gnu'));
    // Directories that are only implied: GNU tar gives them the time of now.
    const isImplied = (name: string): boolean => name.startsWith('long') && !name.endsWith('name');
    for (const lines of [ours, theirs]) for (const name of Object.keys(lines)) if (isImplied(name)) lines[name] = '';
    expect(ours).toEqual(theirs);
  });

  it('packs what GNU tar reads back', () => {
    using box = makeBox();
    unpackInto(box.target, tarOf(entries));
    writeFileSync(join(box.dir, 'layer.tar'), pack(box.target, { includeRoot: true }).archive);
    mkdirSync(join(box.dir, 'gnu'));
    const flags = ['-xpf', join(box.dir, 'layer.tar'), '-C', join(box.dir, 'gnu')];
    spawnSync('tar', ['--xattrs', '--xattrs-include=*', '--numeric-owner', ...flags]);
    expect(describeTree(join(box.dir, 'gnu'), 'seconds')).toEqual(describeTree(box.target, 'seconds'));
  });
});
