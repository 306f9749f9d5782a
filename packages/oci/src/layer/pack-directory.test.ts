import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { getXattr, mknod, setXattr } from '@boxwright/sys';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteString, toByteString } from '../bytes.ts';
import type { TarEntry } from '../tar/entry.ts';
import { TarWriter } from '../tar/tar-writer.ts';
import { type Member, readTar, writeTar } from '../tar/testing/tar-fixtures.ts';
import { LayerIndex } from '../tree/layer-index.ts';
import { packDirectory } from './pack-directory.ts';
import type { PackOptions, PackResult } from './pack-options.ts';
import { describeTree, makeBox, tarOf } from './testing/box.ts';
import { bytes, charDevice, directory, fifo, file, hardlink, scanned, symlink } from './testing/entries.ts';
import { layerStack } from './testing/stacks.ts';
import { unpackLayer } from './unpack-layer.ts';

const isRoot = process.geteuid?.() === 0;
const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

interface Packed {
  readonly result: PackResult;
  readonly archive: Buffer;
  readonly members: readonly Member[];
}

function pack(dir: string, options: PackOptions = {}): Packed {
  const chunks: Buffer[] = [];
  const writer = new TarWriter((chunk) => chunks.push(Buffer.from(chunk)));
  const result = packDirectory(dir, writer, options);
  writer.finish();
  const archive = Buffer.concat(chunks);
  return { result, archive, members: readTar(archive) };
}

function names({ members }: Packed): string[] {
  return members.map(({ entry }) => entry.path);
}

function unpackInto(dir: string, archive: Buffer): void {
  mkdirSync(dir, { recursive: true });
  unpackLayer([archive], dir, { whiteouts: 'apply', owners: isRoot ? 'keep' : 'ignore', devices: 'create' });
}

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

describe.skipIf(!isRoot)('an upper directory (as root: mknod and mounting need it)', () => {
  const overlay: PackOptions = { overlay: 'trusted' };

  it('has its devices 0:0 and opaque directories written as whiteouts', () => {
    using box = makeBox();
    mkdirSync(join(box.target, 'd'));
    utimesSync(join(box.target, 'd'), 77, 77);
    setXattr(join(box.target, 'd'), 'trusted.overlay.opaque', Buffer.from('y'));
    mkdirSync(join(box.target, 'merged'));
    setXattr(join(box.target, 'merged'), 'trusted.overlay.opaque', Buffer.from('x'));
    setXattr(join(box.target, 'merged'), 'trusted.overlay.origin', Buffer.from('x'));
    mknod(join(box.target, 'gone'), 0o020000);
    // The kernel makes whiteouts hard links of one inode.
    linkSync(join(box.target, 'gone'), join(box.target, 'd/gone too'));
    utimesSync(join(box.target, 'd'), 77, 77);
    const packed = pack(box.target, overlay);
    expect(names(packed)).toEqual(['d', 'd/.wh..wh..opq', 'd/.wh.gone too', '.wh.gone', 'merged']);
    expect(packed.result).toMatchObject({ entries: 5, whiteouts: 3 });
    expect(packed.members[1]?.entry).toMatchObject({ type: 'file', size: 0, mtimeNs: 77_000_000_000n });
    expect(packed.members.every(({ entry }) => entry.xattrs === undefined)).toBe(true);
    // Without the option it is a plain directory.
    expect(pack(box.target).members.map(({ entry }) => entry.type)).toEqual([
      'directory',
      'char',
      'hardlink',
      'directory',
    ]);
  });

  it.each(['redirect', 'metacopy'])('is refused when it has a %s', (kind) => {
    using box = makeBox();
    writeFileSync(join(box.target, 'f'), '');
    setXattr(join(box.target, 'f'), `trusted.overlay.${kind}`, Buffer.from('/elsewhere'));
    expect(() => pack(box.target, overlay)).toThrow(expect.objectContaining({ code: 'OVERLAY_REFERENCE' }));
    expect(names(pack(box.target))).toEqual(['f']);
  });

  it('makes a layer that gives what the mount showed', () => {
    using box = makeBox();
    const lower = tarOf([
      directory('etc', { mode: 0o755 }),
      file('etc/a', { size: 5 }),
      file('etc/b', { size: 5 }),
      directory('var'),
      file('var/x/y/z'),
      directory('swap'),
      file('swap/1'),
      symlink('link', 'etc'),
      file('h1', { size: 3 }),
      hardlink('h2', 'h1'),
    ]);
    const at = (name: string): string => join(box.dir, name);
    for (const name of ['lower', 'upper', 'work', 'merged', 'shown', 'flat', 'diff', 'merged2', 'shown2', 'empty'])
      mkdirSync(at(name));
    unpackLayer([lower], at('lower'), { whiteouts: 'overlay' });
    const changes = `
      rm etc/a; echo new > etc/c; chmod 700 etc
      rm -r var; mkdir -p var/x; echo fresh > var/x/new
      rm -r swap; echo now a file > swap
      rm link; mkdir link; echo dir > link/f
      echo more >> h1; ln h1 h3; mknod fifo p; touch -h -d @1234567890.5 var link
      setfattr -n user.k -v v etc/c 2>/dev/null || true`;
    const script = `set -e
      mount -t overlay overlay -o lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')},redirect_dir=off,metacopy=off ${at('merged')}
      (cd ${at('merged')}; ${changes})
      tar --xattrs --format=pax --numeric-owner -C ${at('merged')} -cf - . | tar --xattrs -xpf - --numeric-owner -C ${at('shown')}
      umount ${at('merged')}`;
    expect(spawnSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8' })).toMatchObject({
      stderr: '',
      status: 0,
    });
    const layer = pack(at('upper'), overlay);
    expect(names(layer)).toContain('etc/.wh.a');
    expect(names(layer)).toContain('var/.wh..wh..opq');

    for (const archive of [lower, layer.archive]) unpackLayer([archive], at('flat'), { whiteouts: 'apply' });
    const seen = (name: string): Record<string, string> => ({ ...describeTree(at(name), 'seconds'), '.': '' });
    expect(seen('flat')).toEqual(seen('shown'));

    unpackLayer([layer.archive], at('diff'), { whiteouts: 'overlay' });
    const again = `set -e
      mount -t overlay overlay -o lowerdir=${at('diff')}:${at('lower')} ${at('merged2')}
      tar --xattrs --format=pax --numeric-owner -C ${at('merged2')} -cf - . | tar --xattrs -xpf - --numeric-owner -C ${at('shown2')}
      umount ${at('merged2')}`;
    expect(spawnSync('unshare', ['-m', 'sh', '-c', again], { encoding: 'utf8' })).toMatchObject({
      stderr: '',
      status: 0,
    });
    expect(seen('shown2')).toEqual(seen('shown'));
    expect(readdirSync(at('shown')).length).toBeGreaterThan(7);
  });
});

describe.skipIf(!isRoot)('without root (started as root: another user has to be taken on)', () => {
  it('unpacks read-only directories over each other with owners ignored', () => {
    using box = makeBox();
    chmodSync(box.dir, 0o777);
    chmodSync(box.target, 0o777);
    const layers = [
      [
        directory('.', { mode: 0o555 }),
        directory('ro', { mode: 0o555 }),
        file('ro/a', { mode: 0o400, uid: 5 }),
        directory('no', { mode: 0 }),
        file('no/x'),
      ],
      [file('ro/b', { size: 3 }), file('.wh.no'), directory('ro', { mode: 0o500 }), file('ro/c'), fifo('p')],
    ];
    for (const [at, entries] of layers.entries()) writeFileSync(join(box.dir, `${at}.tar`), tarOf(entries));
    const program = `
      import { openSync } from 'node:fs';
      import { unpackLayer } from ${JSON.stringify(new URL('./unpack-layer.ts', import.meta.url).href)};
      // The target is made by the one who unpacks, as its mode has to be set.
      import { mkdirSync } from 'node:fs';
      mkdirSync(${JSON.stringify(join(box.target, 'own'))});
      for (const at of [0, 1]) unpackLayer(openSync(${JSON.stringify(box.dir)} + '/' + at + '.tar', 'r'), ${JSON.stringify(join(box.target, 'own'))}, { whiteouts: 'apply', owners: 'ignore' });
    `;
    const run = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
      env: {},
    });
    expect(run.stderr).toBe('');
    const own = join(box.target, 'own');
    const modeOf = (name: string): number => statSync(join(own, name)).mode & 0o7777;
    expect(readdirSync(own).sort()).toEqual(['p', 'ro']);
    expect(readdirSync(join(own, 'ro')).sort()).toEqual(['a', 'b', 'c']);
    expect([modeOf('.'), modeOf('ro'), modeOf('ro/a')]).toEqual([0o555, 0o500, 0o400]);
    expect(readFileSync(join(own, 'ro/b'), 'latin1')).toBe('ro/');
    expect(existsSync(join(own, 'no'))).toBe(false);
    expect(statSync(join(own, 'ro/a')).uid).toBe(65534);
  });

  it('says that keeping owners takes root', () => {
    using box = makeBox();
    chmodSync(box.dir, 0o777);
    chmodSync(box.target, 0o777);
    writeFileSync(join(box.dir, 'layer.tar'), writeTar([{ entry: file('f', { uid: 5 }), content: Buffer.alloc(0) }]));
    const program = `
      import { openSync } from 'node:fs';
      import { unpackLayer } from ${JSON.stringify(new URL('./unpack-layer.ts', import.meta.url).href)};
      try { unpackLayer(openSync(${JSON.stringify(join(box.dir, 'layer.tar'))}, 'r'), ${JSON.stringify(box.target)}, { whiteouts: 'apply' }); }
      catch (error) { console.log(error.code, error.details.errno, error.hint); }
    `;
    const run = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
      env: {},
    });
    expect(run.stdout).toMatch(/^LAYER_UNPACK EPERM .*owners ignored/);
    expect(owner.uid).toBe(0);
    expect(bytes('f')).toBe('f');
  });
});
