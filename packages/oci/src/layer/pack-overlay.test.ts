import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mknod, setXattr } from '@boxwright/sys';
import { describe, expect, it } from 'vitest';
import type { PackOptions } from './pack-options.ts';
import { describeTree, makeBox, tarOf } from './testing/box.ts';
import { directory, file, hardlink, symlink } from './testing/entries.ts';
import { names, pack } from './testing/packing.ts';
import { isRoot } from './testing/unpacking.ts';
import { unpackLayer } from './unpack-layer.ts';

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
