import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeTiers } from './testing/tiers.ts';
import { listTree } from './testing/traces.ts';

describeTiers('the layer of a sandboxed command', (tier) => {
  describe('the layer', () => {
    it('holds exactly what the command changed (mount points leave nothing)', async () => {
      const mounts = [
        { kind: 'tmpfs', target: '/a/b/c' },
        { kind: 'secret', target: '/run/secrets/id', data: Buffer.from('s3cret'), mode: 0o400, uid: 0, gid: 0 },
        { kind: 'layers', lowerDirs: [tier.bed.base], subpath: '/', target: '/m/base', readonly: true },
      ] as const;
      const { upperDir, exitCode } = await tier.bed.run('echo 1 > /tmp/new; cat /run/secrets/id > /dev/null', {
        mounts,
      });
      expect(exitCode).toBe(0);
      // proc, sys and dev stay when the image had none, as with BuildKit.
      expect(listTree(upperDir)).toEqual(['dev', 'etc', 'proc', 'sys', 'tmp', 'tmp/new']);
      expect(lstatSync(join(upperDir, 'etc')).mtimeMs).toBe(lstatSync(join(tier.bed.base, 'etc')).mtimeMs);
    });

    it('keeps a stub that the command filled, and the time of a directory that it changed', async () => {
      const old = new Date('2020-01-02T03:04:05Z');
      const layer = tier.bed.layer('old');
      mkdirSync(join(layer, 'opt'));
      utimesSync(join(layer, 'opt'), old, old);
      const mounts = [{ kind: 'tmpfs', target: '/opt/a/b' }] as const;
      const quiet = await tier.bed.run('true', { mounts, lowerDirs: [tier.bed.base, layer] });
      expect(lstatSync(join(quiet.upperDir, 'opt')).mtime).toEqual(old);
      expect(existsSync(join(quiet.upperDir, 'opt/a'))).toBe(false);
      const busy = await tier.bed.run('touch /opt/a/kept', { mounts, lowerDirs: [tier.bed.base, layer] });
      expect(listTree(join(busy.upperDir, 'opt'))).toEqual(['a', 'a/kept']);
    });

    it('is on top of the others: changed, removed and replaced files', async () => {
      const layer = tier.bed.layer('changes');
      tier.bed.write(join(layer, 'data/keep'), '1');
      tier.bed.write(join(layer, 'data/gone'), '2');
      const { upperDir, stdout } = await tier.bed.run('rm /data/gone; echo 3 >> /data/keep; ls /data', {
        lowerDirs: [tier.bed.base, layer],
      });
      expect(stdout).toBe('keep\n');
      const whiteout = lstatSync(join(upperDir, 'data/gone'));
      expect(whiteout.isCharacterDevice() && whiteout.rdev === 0).toBe(true);
      expect(readFileSync(join(upperDir, 'data/keep'), 'utf8')).toBe('13\n');
      expect(readFileSync(join(layer, 'data/keep'), 'utf8')).toBe('1');
    });

    it('works on more layers than one mount takes', async () => {
      const layers = Array.from({ length: 620 }, (_, index) => {
        const layer = tier.bed.layer(`many${index}`);
        tier.bed.write(join(layer, 'n', String(index)), '');
        writeFileSync(join(layer, 'last'), String(index));
        return layer;
      });
      const { stdout } = await tier.bed.run('ls /n | wc -l; cat /last', { lowerDirs: [tier.bed.base, ...layers] });
      expect(stdout).toBe('620\n619');
    });

    it('works with commas and colons in directory names', async () => {
      const layer = tier.bed.layer('a,b:c\\d');
      tier.bed.write(join(layer, 'x'), 'odd');
      const upperDir = tier.bed.layer('u,p:per');
      const { stdout } = await tier.bed.run('cat /x; touch /y', { lowerDirs: [tier.bed.base, layer], upperDir });
      expect(stdout).toBe('odd');
      expect(existsSync(join(upperDir, 'y'))).toBe(true);
    });
  });

  describe('mounts', () => {
    it('binds directories and files of the host', async () => {
      const source = tier.bed.layer('cache');
      tier.bed.write(join(source, 'f'), 'cached');
      const mounts = [
        { kind: 'bind', path: source, target: '/var/cache/x', readonly: false },
        { kind: 'bind', path: join(source, 'f'), target: '/f', readonly: true },
      ] as const;
      const { stdout } = await tier.bed.run(
        'cat /var/cache/x/f /f; echo new > /var/cache/x/g; echo 2>/dev/null > /f || echo ro',
        { mounts },
      );
      expect(stdout).toBe('cachedcachedro\n');
      expect(readFileSync(join(source, 'g'), 'utf8')).toBe('new\n');
    });

    it('shows layers merged, read-only or with writes that are thrown away', async () => {
      const lower = tier.bed.layer('lower');
      const upper = tier.bed.layer('upper');
      tier.bed.write(join(lower, 'd/a'), 'A');
      tier.bed.write(join(upper, 'd/b'), 'B');
      const layers = { kind: 'layers', lowerDirs: [lower, upper], subpath: '/d' } as const;
      const mounts = [
        { ...layers, target: '/ro', readonly: true },
        { ...layers, target: '/rw', readonly: false },
        { ...layers, subpath: 'd/a', target: '/file', readonly: true },
      ] as const;
      const { stdout, upperDir } = await tier.bed.run(
        'ls /ro /rw; touch /ro/x 2>/dev/null || echo ro; echo X > /rw/a; cat /rw/a /ro/a /file',
        { mounts },
      );
      expect(stdout).toBe('/ro:\na\nb\n\n/rw:\na\nb\nro\nX\nAA');
      expect(readFileSync(join(lower, 'd/a'), 'utf8')).toBe('A');
      expect(readdirSync(upperDir).toSorted()).toEqual(['dev', 'etc', 'proc', 'sys']);
      expect(existsSync(join(upperDir, '..', 'work0/throw-away'))).toBe(false);
    });

    it('gives a secret its mode and owner, in memory', async () => {
      const mounts = [
        {
          kind: 'secret',
          target: '/run/secrets/t',
          data: Buffer.from('abc\0def'),
          mode: 0o440,
          uid: 1000,
          gid: 1001,
        },
      ] as const;
      const { stdout } = await tier.bed.run(
        'stat -c "%a %u:%g %s" /run/secrets/t; echo 2>/dev/null > /run/secrets/t || echo ro; grep " /run/secrets/t " /proc/self/mountinfo | grep -c tmpfs',
        {
          mounts,
        },
      );
      expect(stdout).toBe('440 1000:1001 7\nro\n1\n');
    });

    it('can execute the script of a heredoc, also below /dev', async () => {
      const mounts = [
        {
          kind: 'secret',
          target: '/dev/pipes/EOF',
          data: Buffer.from('#!/bin/sh\necho ran\n'),
          mode: 0o755,
          uid: 0,
          gid: 0,
        },
      ] as const;
      expect((await tier.bed.run('/dev/pipes/EOF', { mounts })).stdout).toBe('ran\n');
    });

    it('bounds a tmpfs', async () => {
      const mounts = [{ kind: 'tmpfs', target: '/t', sizeBytes: 65536 }] as const;
      const { stdout } = await tier.bed.run(
        'stat -c %a /t; dd if=/dev/zero of=/t/x bs=1k count=1000 2>/dev/null || stat -c %s /t/x',
        { mounts },
      );
      expect(stdout).toBe('1777\n65536\n');
    });

    it('gives a tmpfs the mode of the directory that it hides', async () => {
      const layer = tier.bed.layer('modes');
      mkdirSync(join(layer, 'dir'));
      chmodSync(join(layer, 'dir'), 0o2751);
      const mounts = ['/dir', '/new/er'].map((target) => ({ kind: 'tmpfs', target }) as const);
      const { stdout } = await tier.bed.run('stat -c "%a %u:%g" /dir /new /new/er', {
        mounts,
        lowerDirs: [tier.bed.base, layer],
      });
      expect(stdout).toBe('2751 0:0\n755 0:0\n1777 0:0\n');
    });

    it('nests mounts whatever their order', async () => {
      const mounts = [
        { kind: 'tmpfs', target: '/x/y' },
        { kind: 'tmpfs', target: '/x' },
      ] as const;
      expect((await tier.bed.run('grep -c " /x" /proc/self/mountinfo; ls /x', { mounts })).stdout).toBe('2\ny\n');
    });

    it.each(['/', '/proc', '/proc/self', '/sys/fs', '/dev', 'x/../..'])('refuses to mount at %s', async (target) => {
      await expect(tier.bed.run('true', { mounts: [{ kind: 'tmpfs', target }] })).rejects.toMatchObject({
        code: 'SANDBOX_PATH_INVALID',
      });
    });
  });
});
