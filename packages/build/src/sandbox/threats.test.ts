import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostFacts } from './host-facts.ts';
import { whyNoSandbox } from './testing/bed.ts';
import { describeTiers } from './testing/tiers.ts';
import { listTree } from './testing/traces.ts';

describeTiers('threats to the sandbox', (tier) => {
  const rootOfHost = whyNoSandbox() === undefined && !hostFacts().userNamespace;

  describe('threats', () => {
    it('B3: does not follow a link that is the source of a bind', async () => {
      const link = join(tier.bed.directory, 'link');
      symlinkSync('/etc', link);
      const mounts = [{ kind: 'bind', path: link, target: '/m', readonly: true }] as const;
      await expect(tier.bed.run('ls /m', { mounts })).rejects.toMatchObject({ code: 'SANDBOX_MOUNT_SOURCE' });
    });

    it('B3: resolves the subpath of a layer inside it', async () => {
      const layer = tier.bed.layer('evil-source');
      symlinkSync('/etc', join(layer, 'out'));
      symlinkSync('../../../../../etc', join(layer, 'up'));
      tier.bed.write(join(layer, 'etc/mark'), 'inside');
      for (const subpath of ['out', 'up', '../../etc']) {
        const mounts = [{ kind: 'layers', lowerDirs: [layer], subpath, target: '/m', readonly: true }] as const;
        expect((await tier.bed.run('cat /m/mark', { mounts })).stdout).toBe('inside');
      }
    });

    it('B4: makes mount points through links inside the root only', async () => {
      const layer = tier.bed.layer('evil-target');
      const outside = tier.bed.layer('outside');
      symlinkSync(outside, join(layer, 'abs'));
      symlinkSync(`../../../../../../..${outside}`, join(layer, 'rel'));
      const mounts = ['/abs/x', '/rel/y'].map((target) => ({ kind: 'tmpfs', target }) as const);
      const { exitCode, upperDir } = await tier.bed.run('true', { mounts, lowerDirs: [tier.bed.base, layer] });
      expect(exitCode).toBe(0);
      expect(readdirSync(outside)).toEqual([]);
      expect(existsSync(join(upperDir, outside))).toBe(false);
    });

    it('B4: removes a stub by descriptor, not where the command put a link in its place', async () => {
      const outside = tier.bed.layer('precious');
      mkdirSync(join(outside, 'stub'));
      const command = `mv /d /e && ln -s ${outside} /d`;
      const { exitCode, upperDir, stderr } = await tier.bed.run(command, {
        mounts: [{ kind: 'tmpfs', target: '/d/stub' }],
        lowerDirs: [tier.bed.base],
      });
      // A directory with a mount in it may or may not be moved; outside nothing changes either way.
      expect([exitCode, stderr.length > 0]).toEqual(exitCode === 0 ? [0, false] : [exitCode, true]);
      expect(readdirSync(outside)).toEqual(['stub']);
      expect(existsSync(join(upperDir, 'e/stub'))).toBe(false);
    });

    it('B4: follows the dangling resolv.conf of systemd images, and leaves nothing there', async () => {
      const layer = tier.bed.layer('systemd');
      mkdirSync(join(layer, 'etc'));
      symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(layer, 'etc/resolv.conf'));
      const { stdout, upperDir } = await tier.bed.run('cat /etc/resolv.conf; readlink /etc/resolv.conf', {
        lowerDirs: [tier.bed.base, layer],
      });
      expect(stdout).toBe(`${readFileSync('/etc/resolv.conf', 'utf8')}../run/systemd/resolve/stub-resolv.conf\n`);
      expect(listTree(upperDir).filter((path) => path.startsWith('run'))).toEqual([]);
    });

    it('B5: leaks no descriptor, and a working directory through one leads nowhere', async () => {
      const { stdout } = await tier.bed.run('ls /proc/self/fd');
      expect(stdout.split('\n').filter((fd) => fd !== '' && Number(fd) > 3)).toEqual([]);
      for (const cwd of ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/1/cwd']) {
        const escape = await tier.bed
          .run('cat ../../../../etc/hostname ../../etc/os-release', { cwd })
          .catch((error: unknown) => error);
        expect(escape).not.toMatchObject({ exitCode: 0 });
      }
    });

    it.each(['proc', 'sys', 'dev'])('B6: refuses an image whose /%s is a link or a file', async (name) => {
      const link = tier.bed.layer(`link-${name}`);
      symlinkSync('/tmp', join(link, name));
      await expect(tier.bed.run('true', { lowerDirs: [tier.bed.base, link] })).rejects.toMatchObject({
        code: 'SANDBOX_ROOTFS_UNSAFE',
      });
      const file = tier.bed.layer(`file-${name}`);
      writeFileSync(join(file, name), '');
      await expect(tier.bed.run('true', { lowerDirs: [tier.bed.base, file] })).rejects.toMatchObject({
        code: 'SANDBOX_ROOTFS_UNSAFE',
      });
    });

    it('B6: takes no device or pty from the image', async () => {
      const layer = tier.bed.layer('evil-dev');
      tier.bed.write(join(layer, 'dev/null'), 'not null');
      symlinkSync('/etc', join(layer, 'dev/pts'));
      const { stdout } = await tier.bed.run('cat /dev/null; stat -c "%F %t:%T" /dev/null; stat -c %F /dev/pts', {
        lowerDirs: [tier.bed.base, layer],
      });
      expect(stdout).toBe('character special file 1:3\ndirectory\n');
    });

    it('B7: sees no mount, process or file of the host', async () => {
      const { stdout } = await tier.bed.run(
        `ls -d ${tier.bed.directory} 2>/dev/null; grep -c ${tier.bed.directory} /proc/self/mounts; ls /proc/1/root/`,
      );
      expect(stdout.startsWith('0\n')).toBe(true);
      expect(stdout).toContain('bin\n');
      const escape = 'mkdir /x; chroot /x /bin/true; cd /; for i in 1 2 3 4 5 6 7 8; do cd ..; done; ls';
      expect((await tier.bed.run(escape)).stdout).not.toContain('home\n');
    });

    it('B7: has the capabilities of Docker, none as another user', async () => {
      const read =
        'grep -E "^(CapPrm|CapEff|CapBnd|CapInh|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status | while read n v; do echo $v; done';
      const [none, docker] = ['0000000000000000', '00000000a80425fb'];
      expect((await tier.bed.run(read)).stdout.split('\n')).toEqual([none, docker, docker, docker, none, '0', '2', '']);
      const user = { user: { uid: 1000, gid: 1000, additionalGids: [] } };
      expect((await tier.bed.run(read, user)).stdout.split('\n')).toEqual([
        none,
        none,
        none,
        docker,
        none,
        '0',
        '2',
        '',
      ]);
    });

    it('B7: may not mount, make namespaces or leave them', async () => {
      const attempts = [
        'mount -t tmpfs x /tmp',
        'umount /proc',
        'unshare -m true',
        'unshare -U true',
        'unshare -p true',
        'hostname evil',
      ];
      for (const attempt of attempts) expect((await tier.bed.run(attempt)).exitCode, attempt).not.toBe(0);
    });

    it.skipIf(!rootOfHost)('B7: makes device nodes, but opens none', async () => {
      const { stdout, upperDir } = await tier.bed.run(
        'for d in / /dev /tmp /dev/shm; do mknod $d/disk b 7 0 && mknod $d/mem c 1 1 && (head -c 1 $d/disk; head -c 1 $d/mem) 2>/dev/null || echo refused; done',
      );
      expect(stdout).toBe('refused\n'.repeat(4));
      expect(lstatSync(join(upperDir, 'disk')).isBlockDevice()).toBe(true);
    });

    it('B7: hides and protects what Docker hides and protects', async () => {
      const { stdout } = await tier.bed.run(
        'for p in /proc/kcore /proc/keys /proc/timer_list; do [ -e $p ] && wc -c < $p; done; ls /sys/firmware /proc/acpi 2>/dev/null | grep -v : ; for p in /proc/sys/kernel/domainname /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/x; do (echo x > $p) 2>/dev/null && echo written $p; done; (mkdir /sys/fs/cgroup/x) 2>/dev/null && echo cgroup',
      );
      expect(stdout.split('\n').filter((line) => line !== '' && line !== '0')).toEqual([]);
    });

    it('B7: gets a default-allow filter that still lets programs debug and chroot', async () => {
      expect((await tier.bed.run('chroot / /bin/echo ok')).stdout).toBe('ok\n');
    });
  });
});
