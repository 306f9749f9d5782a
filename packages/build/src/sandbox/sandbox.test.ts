import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostFacts } from './host-facts.ts';
import { SandboxBed, whyNoSandbox } from './testing/bed.ts';
import { installedRuntimes } from './tiers.ts';

const reason = whyNoSandbox();
const tiers = ['native', ...installedRuntimes()];

describe.skipIf(reason !== undefined).each(tiers)(
  `sandbox in tier %s${reason === undefined ? '' : ` (${reason})`}`,
  (tier) => {
    let bed: SandboxBed;
    const rootOfHost = !hostFacts().userNamespace;

    beforeAll(() => {
      bed = new SandboxBed(tier);
    });
    afterAll(() => bed.remove());

    describe('the command', () => {
      it('gives its output and exit code', async () => {
        const result = await bed.run('echo out; echo err >&2; exit 3');
        expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
      });

      it('reports a death by signal as a shell does', async () => {
        expect((await bed.run('sh -c "kill -TERM \\$\\$"; exit $?')).exitCode).toBe(143);
      });

      it('gets arguments byte for byte, and only the environment of the spec', async () => {
        const args = ['/bin/printf', '[%s]', 'a b', '', '$HOME', 'ü\n"'];
        expect((await bed.run('', { args })).stdout).toBe('[a b][][$HOME][ü\n"]');
        const env = ['PATH=/bin', 'A=1 2', 'B='];
        expect(
          (await bed.run('', { args: ['env'], env })).stdout.split('\n').filter((line) => !line.startsWith('HOME=')),
        ).toEqual([...env, '']);
      });

      it('finds its program in PATH', async () => {
        expect((await bed.run('', { args: ['basename', '/x/y'], env: ['PATH=/nowhere:/bin'] })).stdout).toBe('y\n');
      });

      it('has HOME from the image when it is not set', async () => {
        expect((await bed.run('echo $HOME', { user: { uid: 1000, gid: 1000, additionalGids: [] } })).stdout).toBe(
          '/home/app\n',
        );
        expect((await bed.run('echo $HOME', { user: { uid: 77, gid: 0, additionalGids: [] } })).stdout).toBe('/\n');
        expect((await bed.run('echo $HOME', { env: ['PATH=/bin', 'HOME=/h'] })).stdout).toBe('/h\n');
      });

      it('runs as user, group and groups', async () => {
        const { stdout } = await bed.run('id; umask; touch /tmp/mine; stat -c %u:%g /tmp/mine', {
          user: { uid: 1000, gid: 1001, additionalGids: [5] },
        });
        expect(stdout).toBe('uid=1000(app) gid=1001 groups=5,1001\n0022\n1000:1001\n');
      });

      it('can open /dev/stdout again, also as another user', async () => {
        const result = await bed.run('echo a > /dev/stdout; echo b > /dev/stderr', {
          user: { uid: 1000, gid: 1000, additionalGids: [] },
        });
        expect(result).toMatchObject({ stdout: 'a\n', stderr: 'b\n' });
      });

      it('has an empty stdin', async () => {
        expect((await bed.run('cat; echo end')).stdout).toBe('end\n');
      });

      it('streams more output than a pipe holds', async () => {
        let bytes = 0;
        const onOutput = (_stream: 1 | 2, chunk: Uint8Array): void => {
          bytes += chunk.length;
        };
        expect((await bed.run('yes 0123456789abcde | head -c 20000000', { onOutput })).exitCode).toBe(0);
        expect(bytes).toBe(20_000_000);
      });

      it('makes a working directory that is missing, for its user', async () => {
        const { stdout } = await bed.run('pwd; stat -c "%u:%g %a" . ..', {
          cwd: '/srv/app/x',
          user: { uid: 1000, gid: 1000, additionalGids: [] },
        });
        expect(stdout).toBe('/srv/app/x\n1000:1000 755\n1000:1000 755\n');
      });

      it('goes on when its program forks into the background, and takes that down at its end', async () => {
        const marker = '987123';
        await bed.run(`setsid sleep ${marker} >/dev/null 2>&1 </dev/null & sleep 0.05`);
        expect(processesWith(marker)).toEqual([]);
      });

      it('sees itself as the first process, and no other', async () => {
        expect((await bed.run('echo $$; ls /proc | grep -c "^[0-9]"')).stdout).toBe('1\n3\n');
      });

      it('has a name, hosts and resolv.conf', async () => {
        const spec = { extraHosts: [{ host: 'db', address: '10.0.0.7' }] };
        const { stdout } = await bed.run('hostname; cat /etc/hosts; cat /etc/resolv.conf', spec);
        const hosts = '127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.7\tdb\n';
        expect(stdout).toBe(`buildkitsandbox\n${hosts}${readFileSync('/etc/resolv.conf', 'utf8')}`);
        expect((await bed.run('hostname', { hostname: 'other' })).stdout).toBe('other\n');
      });

      it('has no network but loopback with none, the host network else', async () => {
        const links = async (network: 'none' | 'host'): Promise<string> =>
          (await bed.run('ip -o link | grep -c .; ip -o addr | grep -c 127.0.0.1', { network })).stdout;
        expect(await links('none')).toBe('1\n1\n');
        const host = readdirSync('/sys/class/net').length;
        expect((await links('host')).split('\n')[0]).toBe(String(host));
      });
    });

    describe('errors', () => {
      const code = async (run: Promise<unknown>): Promise<unknown> =>
        run.then(
          () => 'no error',
          (error: unknown) => error,
        );

      it('names a command that is not there', async () => {
        expect(await code(bed.run('', { args: ['nonesuch'] }))).toMatchObject({
          code: 'SANDBOX_COMMAND_NOT_FOUND',
          details: { command: 'nonesuch' },
        });
      });

      it('knows that a scratch image has no shell', async () => {
        const error = await code(bed.run('true', { lowerDirs: [] }));
        expect(error).toMatchObject({
          code: 'SANDBOX_COMMAND_NOT_FOUND',
          hint: expect.stringContaining('FROM scratch') as string,
        });
      });

      it('tells a file that is not executable from one that is missing', async () => {
        const layer = bed.layer('not-executable');
        bed.write(join(layer, 'x'), 'text');
        expect(await code(bed.run('', { args: ['/x'], lowerDirs: [bed.base, layer] }))).toMatchObject({
          code: 'SANDBOX_COMMAND_NOT_EXECUTABLE',
        });
      });

      it('names the missing interpreter of a script', async () => {
        const layer = bed.layer('interpreter');
        bed.write(join(layer, 'x'), '#!/usr/bin/python9 -u\n');
        chmodSync(join(layer, 'x'), 0o755);
        const error = await code(bed.run('', { args: ['/x'], lowerDirs: [bed.base, layer] }));
        expect(error).toMatchObject({
          code: 'SANDBOX_COMMAND_NOT_FOUND',
          message: expect.stringContaining('/usr/bin/python9') as string,
        });
      });

      it('explains a program of another processor', async () => {
        const layer = bed.layer('foreign');
        const program = readFileSync(join(bed.base, 'bin/busybox'));
        program.writeUInt16LE(22, 18); // s390x
        writeFileSync(join(layer, 'x'), program, { mode: 0o755 });
        const error = await code(bed.run('', { args: ['/x'], lowerDirs: [bed.base, layer] }));
        expect(error).toMatchObject({
          code: 'SANDBOX_COMMAND_FOREIGN',
          message: expect.stringContaining('s390x') as string,
        });
      });

      it('refuses a working directory that is a file', async () => {
        expect(await code(bed.run('true', { cwd: '/etc/passwd' }))).toMatchObject({ code: 'SANDBOX_PATH_INVALID' });
      });

      it('goes on working after an error', async () => {
        await code(bed.run('', { args: ['nonesuch'] }));
        expect((await bed.run('echo still')).stdout).toBe('still\n');
      });
    });

    describe('the layer', () => {
      it('holds exactly what the command changed (mount points leave nothing)', async () => {
        const mounts = [
          { kind: 'tmpfs', target: '/a/b/c' },
          { kind: 'secret', target: '/run/secrets/id', data: Buffer.from('s3cret'), mode: 0o400, uid: 0, gid: 0 },
          { kind: 'layers', lowerDirs: [bed.base], subpath: '/', target: '/m/base', readonly: true },
        ] as const;
        const { upperDir, exitCode } = await bed.run('echo 1 > /tmp/new; cat /run/secrets/id > /dev/null', { mounts });
        expect(exitCode).toBe(0);
        // proc, sys and dev stay when the image had none, as with BuildKit.
        expect(listTree(upperDir)).toEqual(['dev', 'etc', 'proc', 'sys', 'tmp', 'tmp/new']);
        expect(lstatSync(join(upperDir, 'etc')).mtimeMs).toBe(lstatSync(join(bed.base, 'etc')).mtimeMs);
      });

      it('keeps a stub that the command filled, and the time of a directory that it changed', async () => {
        const old = new Date('2020-01-02T03:04:05Z');
        const layer = bed.layer('old');
        mkdirSync(join(layer, 'opt'));
        utimesSync(join(layer, 'opt'), old, old);
        const mounts = [{ kind: 'tmpfs', target: '/opt/a/b' }] as const;
        const quiet = await bed.run('true', { mounts, lowerDirs: [bed.base, layer] });
        expect(lstatSync(join(quiet.upperDir, 'opt')).mtime).toEqual(old);
        expect(existsSync(join(quiet.upperDir, 'opt/a'))).toBe(false);
        const busy = await bed.run('touch /opt/a/kept', { mounts, lowerDirs: [bed.base, layer] });
        expect(listTree(join(busy.upperDir, 'opt'))).toEqual(['a', 'a/kept']);
      });

      it('is on top of the others: changed, removed and replaced files', async () => {
        const layer = bed.layer('changes');
        bed.write(join(layer, 'data/keep'), '1');
        bed.write(join(layer, 'data/gone'), '2');
        const { upperDir, stdout } = await bed.run('rm /data/gone; echo 3 >> /data/keep; ls /data', {
          lowerDirs: [bed.base, layer],
        });
        expect(stdout).toBe('keep\n');
        const whiteout = lstatSync(join(upperDir, 'data/gone'));
        expect(whiteout.isCharacterDevice() && whiteout.rdev === 0).toBe(true);
        expect(readFileSync(join(upperDir, 'data/keep'), 'utf8')).toBe('13\n');
        expect(readFileSync(join(layer, 'data/keep'), 'utf8')).toBe('1');
      });

      it('works on more layers than one mount takes', async () => {
        const layers = Array.from({ length: 620 }, (_, index) => {
          const layer = bed.layer(`many${index}`);
          bed.write(join(layer, 'n', String(index)), '');
          writeFileSync(join(layer, 'last'), String(index));
          return layer;
        });
        const { stdout } = await bed.run('ls /n | wc -l; cat /last', { lowerDirs: [bed.base, ...layers] });
        expect(stdout).toBe('620\n619');
      });

      it('works with commas and colons in directory names', async () => {
        const layer = bed.layer('a,b:c\\d');
        bed.write(join(layer, 'x'), 'odd');
        const upperDir = bed.layer('u,p:per');
        const { stdout } = await bed.run('cat /x; touch /y', { lowerDirs: [bed.base, layer], upperDir });
        expect(stdout).toBe('odd');
        expect(existsSync(join(upperDir, 'y'))).toBe(true);
      });
    });

    describe('mounts', () => {
      it('binds directories and files of the host', async () => {
        const source = bed.layer('cache');
        bed.write(join(source, 'f'), 'cached');
        const mounts = [
          { kind: 'bind', path: source, target: '/var/cache/x', readonly: false },
          { kind: 'bind', path: join(source, 'f'), target: '/f', readonly: true },
        ] as const;
        const { stdout } = await bed.run(
          'cat /var/cache/x/f /f; echo new > /var/cache/x/g; echo 2>/dev/null > /f || echo ro',
          { mounts },
        );
        expect(stdout).toBe('cachedcachedro\n');
        expect(readFileSync(join(source, 'g'), 'utf8')).toBe('new\n');
      });

      it('shows layers merged, read-only or with writes that are thrown away', async () => {
        const lower = bed.layer('lower');
        const upper = bed.layer('upper');
        bed.write(join(lower, 'd/a'), 'A');
        bed.write(join(upper, 'd/b'), 'B');
        const layers = { kind: 'layers', lowerDirs: [lower, upper], subpath: '/d' } as const;
        const mounts = [
          { ...layers, target: '/ro', readonly: true },
          { ...layers, target: '/rw', readonly: false },
          { ...layers, subpath: 'd/a', target: '/file', readonly: true },
        ] as const;
        const { stdout, upperDir } = await bed.run(
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
        const { stdout } = await bed.run(
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
        expect((await bed.run('/dev/pipes/EOF', { mounts })).stdout).toBe('ran\n');
      });

      it('bounds a tmpfs', async () => {
        const mounts = [{ kind: 'tmpfs', target: '/t', sizeBytes: 65536 }] as const;
        const { stdout } = await bed.run(
          'stat -c %a /t; dd if=/dev/zero of=/t/x bs=1k count=1000 2>/dev/null || stat -c %s /t/x',
          { mounts },
        );
        expect(stdout).toBe('755\n65536\n');
      });

      it('nests mounts whatever their order', async () => {
        const mounts = [
          { kind: 'tmpfs', target: '/x/y' },
          { kind: 'tmpfs', target: '/x' },
        ] as const;
        expect((await bed.run('grep -c " /x" /proc/self/mountinfo; ls /x', { mounts })).stdout).toBe('2\ny\n');
      });

      it.each(['/', '/proc', '/proc/self', '/sys/fs', '/dev', 'x/../..'])('refuses to mount at %s', async (target) => {
        await expect(bed.run('true', { mounts: [{ kind: 'tmpfs', target }] })).rejects.toMatchObject({
          code: 'SANDBOX_PATH_INVALID',
        });
      });
    });

    describe('threats', () => {
      it('B3: does not follow a link that is the source of a bind', async () => {
        const link = join(bed.directory, 'link');
        symlinkSync('/etc', link);
        const mounts = [{ kind: 'bind', path: link, target: '/m', readonly: true }] as const;
        await expect(bed.run('ls /m', { mounts })).rejects.toMatchObject({ code: 'SANDBOX_MOUNT_SOURCE' });
      });

      it('B3: resolves the subpath of a layer inside it', async () => {
        const layer = bed.layer('evil-source');
        symlinkSync('/etc', join(layer, 'out'));
        symlinkSync('../../../../../etc', join(layer, 'up'));
        bed.write(join(layer, 'etc/mark'), 'inside');
        for (const subpath of ['out', 'up', '../../etc']) {
          const mounts = [{ kind: 'layers', lowerDirs: [layer], subpath, target: '/m', readonly: true }] as const;
          expect((await bed.run('cat /m/mark', { mounts })).stdout).toBe('inside');
        }
      });

      it('B4: makes mount points through links inside the root only', async () => {
        const layer = bed.layer('evil-target');
        const outside = bed.layer('outside');
        symlinkSync(outside, join(layer, 'abs'));
        symlinkSync(`../../../../../../..${outside}`, join(layer, 'rel'));
        const mounts = ['/abs/x', '/rel/y'].map((target) => ({ kind: 'tmpfs', target }) as const);
        const { exitCode, upperDir } = await bed.run('true', { mounts, lowerDirs: [bed.base, layer] });
        expect(exitCode).toBe(0);
        expect(readdirSync(outside)).toEqual([]);
        expect(existsSync(join(upperDir, outside))).toBe(false);
      });

      it('B4: removes a stub by descriptor, not where the command put a link in its place', async () => {
        const outside = bed.layer('precious');
        mkdirSync(join(outside, 'stub'));
        const command = `mv /d /e && ln -s ${outside} /d`;
        const { exitCode, upperDir, stderr } = await bed.run(command, {
          mounts: [{ kind: 'tmpfs', target: '/d/stub' }],
          lowerDirs: [bed.base],
        });
        // A directory with a mount in it may or may not be moved; outside nothing changes either way.
        expect([exitCode, stderr.length > 0]).toEqual(exitCode === 0 ? [0, false] : [exitCode, true]);
        expect(readdirSync(outside)).toEqual(['stub']);
        expect(existsSync(join(upperDir, 'e/stub'))).toBe(false);
      });

      it('B4: follows the dangling resolv.conf of systemd images, and leaves nothing there', async () => {
        const layer = bed.layer('systemd');
        mkdirSync(join(layer, 'etc'));
        symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(layer, 'etc/resolv.conf'));
        const { stdout, upperDir } = await bed.run('cat /etc/resolv.conf; readlink /etc/resolv.conf', {
          lowerDirs: [bed.base, layer],
        });
        expect(stdout).toBe(`${readFileSync('/etc/resolv.conf', 'utf8')}../run/systemd/resolve/stub-resolv.conf\n`);
        expect(listTree(upperDir).filter((path) => path.startsWith('run'))).toEqual([]);
      });

      it('B5: leaks no descriptor, and a working directory through one leads nowhere', async () => {
        const { stdout } = await bed.run('ls /proc/self/fd');
        expect(stdout.split('\n').filter((fd) => fd !== '' && Number(fd) > 3)).toEqual([]);
        for (const cwd of ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/1/cwd']) {
          const escape = await bed
            .run('cat ../../../../etc/hostname ../../etc/os-release', { cwd })
            .catch((error: unknown) => error);
          expect(escape).not.toMatchObject({ exitCode: 0 });
        }
      });

      it.each(['proc', 'sys', 'dev'])('B6: refuses an image whose /%s is a link or a file', async (name) => {
        const link = bed.layer(`link-${name}`);
        symlinkSync('/tmp', join(link, name));
        await expect(bed.run('true', { lowerDirs: [bed.base, link] })).rejects.toMatchObject({
          code: 'SANDBOX_ROOTFS_UNSAFE',
        });
        const file = bed.layer(`file-${name}`);
        writeFileSync(join(file, name), '');
        await expect(bed.run('true', { lowerDirs: [bed.base, file] })).rejects.toMatchObject({
          code: 'SANDBOX_ROOTFS_UNSAFE',
        });
      });

      it('B6: takes no device or pty from the image', async () => {
        const layer = bed.layer('evil-dev');
        bed.write(join(layer, 'dev/null'), 'not null');
        symlinkSync('/etc', join(layer, 'dev/pts'));
        const { stdout } = await bed.run('cat /dev/null; stat -c "%F %t:%T" /dev/null; stat -c %F /dev/pts', {
          lowerDirs: [bed.base, layer],
        });
        expect(stdout).toBe('character special file 1:3\ndirectory\n');
      });

      it('B7: sees no mount, process or file of the host', async () => {
        const { stdout } = await bed.run(
          `ls -d ${bed.directory} 2>/dev/null; grep -c ${bed.directory} /proc/self/mounts; ls /proc/1/root/`,
        );
        expect(stdout.startsWith('0\n')).toBe(true);
        expect(stdout).toContain('bin\n');
        const escape = 'mkdir /x; chroot /x /bin/true; cd /; for i in 1 2 3 4 5 6 7 8; do cd ..; done; ls';
        expect((await bed.run(escape)).stdout).not.toContain('home\n');
      });

      it('B7: has the capabilities of Docker, none as another user', async () => {
        const read =
          'grep -E "^(CapPrm|CapEff|CapBnd|CapInh|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status | while read n v; do echo $v; done';
        const [none, docker] = ['0000000000000000', '00000000a80425fb'];
        expect((await bed.run(read)).stdout.split('\n')).toEqual([none, docker, docker, docker, none, '0', '2', '']);
        const user = { user: { uid: 1000, gid: 1000, additionalGids: [] } };
        expect((await bed.run(read, user)).stdout.split('\n')).toEqual([none, none, none, docker, none, '0', '2', '']);
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
        for (const attempt of attempts) expect((await bed.run(attempt)).exitCode, attempt).not.toBe(0);
      });

      it.skipIf(!rootOfHost)('B7: makes device nodes, but opens none', async () => {
        const { stdout, upperDir } = await bed.run(
          'for d in / /dev /tmp /dev/shm; do mknod $d/disk b 7 0 && mknod $d/mem c 1 1 && (head -c 1 $d/disk; head -c 1 $d/mem) 2>/dev/null || echo refused; done',
        );
        expect(stdout).toBe('refused\n'.repeat(4));
        expect(lstatSync(join(upperDir, 'disk')).isBlockDevice()).toBe(true);
      });

      it('B7: hides and protects what Docker hides and protects', async () => {
        const { stdout } = await bed.run(
          'for p in /proc/kcore /proc/keys /proc/timer_list; do [ -e $p ] && wc -c < $p; done; ls /sys/firmware /proc/acpi 2>/dev/null | grep -v : ; for p in /proc/sys/kernel/domainname /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/x; do (echo x > $p) 2>/dev/null && echo written $p; done; (mkdir /sys/fs/cgroup/x) 2>/dev/null && echo cgroup',
        );
        expect(stdout.split('\n').filter((line) => line !== '' && line !== '0')).toEqual([]);
      });

      it('B7: gets a default-allow filter that still lets programs debug and chroot', async () => {
        expect((await bed.run('chroot / /bin/echo ok')).stdout).toBe('ok\n');
      });
    });

    describe('ends', () => {
      it('kills everything when it is aborted, at once and with the reason', async () => {
        const marker = '876123';
        const controller = new AbortController();
        const run = bed.run(`trap "" TERM; setsid sleep ${marker} & echo up; sleep ${marker}; sleep ${marker}`, {
          signal: controller.signal,
          onOutput: () => controller.abort(new Error('enough')),
        });
        await expect(run).rejects.toThrow('enough');
        expect(processesWith(marker)).toEqual([]);
      });

      it('does not start when it is aborted before, and stops when it is aborted while it starts', async () => {
        await expect(bed.run('true', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
        const controller = new AbortController();
        const run = bed.run('sleep 765123', { signal: controller.signal });
        controller.abort(new Error('now'));
        await expect(run).rejects.toThrow('now');
        expect(processesWith('765123')).toEqual([]);
      });

      it.skipIf(!existsSync('/usr/bin/script'))('lends its terminal to the command (needs script(1))', () => {
        const script = new URL('./testing/run-in-terminal.ts', import.meta.url).pathname;
        const command = `'${process.execPath}' --conditions=source '${script}' '${tier}'`;
        const output = execFileSync('/usr/bin/script', ['-qec', command, '/dev/null'], {
          input: 'typed\n',
          encoding: 'utf8',
          timeout: 20_000,
        });
        expect(output.replaceAll('\r', '')).toMatch(/\/dev\/\S+\n(typed\n)*got typed\n(.*\n)*exit code 9\n/);
      });

      it('runs side by side', async () => {
        const results = await Promise.all(
          [1, 2, 3, 4].map((n) => bed.run(`sleep 0.1; echo ${n} > /tmp/n; cat /tmp/n`)),
        );
        expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
      });

      it('leaves no mount in any namespace, no process, no cgroup, no file', async () => {
        const before = await bed.run('echo x > /x', { mounts: [{ kind: 'tmpfs', target: '/t' }] });
        const lower = [bed.base, before.upperDir];
        await bed.run('true', {
          mounts: [{ kind: 'layers', lowerDirs: lower, subpath: '/', target: '/t', readonly: false }],
        });
        await bed.run('', { args: ['nonesuch'] }).catch(() => undefined);
        expect(mountsOfThisProcess()).toEqual([]);
        expect(cgroupsWith('boxwright')).toEqual([]);
        expect(runtimeStates()).toEqual([]);
      });

      it.each(tier === 'native' ? [0, 40, 400] : [40])(
        'F5: leaves nothing when this process is killed with SIGKILL %i ms after the start of the command',
        async (delay) => {
          const marker = String(600_000 + Math.trunc(Math.random() * 90_000));
          const home = mkdtempSync(join(tmpdir(), 'boxwright-kill-'));
          const script = new URL('./testing/run-and-wait.ts', import.meta.url).pathname;
          const child = spawn(process.execPath, ['--conditions=source', script, tier, marker], {
            env: { ...process.env, TMPDIR: home },
          });
          const exited = new Promise((resolve) => child.once('exit', resolve));
          await new Promise<void>((resolve) => {
            let output = '';
            child.stdout.on('data', (chunk: Buffer) => {
              output += chunk.toString();
              if (output.includes(delay === 0 ? home : 'started')) resolve();
            });
            child.once('exit', () => resolve());
          });
          await sleep(delay);
          // Those of the command, of the sandbox thread and of the init: a mount lives as long as one of them.
          const namespaces = mountNamespaces([String(child.pid), ...processesWith(marker)]).difference(
            mountNamespaces(['self']),
          );
          if (delay > 0) expect(namespaces.size).toBeGreaterThan(1);
          child.kill('SIGKILL');
          await exited;
          const left = (): unknown[] => [
            ...processesWith(marker),
            ...mountNamespaces(allProcesses()).intersection(namespaces),
          ];
          await eventually(() => left().length === 0);
          expect(left()).toEqual([]);
          expect(readdirSync(home).every((name) => name.startsWith('boxwright-sandbox-'))).toBe(true);
          expect(cgroupsWith('boxwright')).toEqual([]);
          expect(runtimeStates()).toEqual([]);
          rmSync(home, { recursive: true });
        },
      );
    });
  },
);

async function eventually(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 40 && !condition(); attempt++) await sleep(50);
}

function allProcesses(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function processesWith(marker: string): string[] {
  return allProcesses().filter((pid) => {
    const command = readOrEmpty(`/proc/${pid}/cmdline`).split('\0');
    return command[0] !== process.execPath && command.includes(marker);
  });
}

/** The mount namespaces of all threads of some processes. */
function mountNamespaces(pids: readonly string[]): Set<string> {
  return new Set(
    pids.flatMap((pid) => threadsOf(pid).map((thread) => readLinkOrEmpty(`/proc/${pid}/task/${thread}/ns/mnt`))),
  ).difference(new Set(['']));
}

/** What the sandbox thread still has mounted of runs. */
function mountsOfThisProcess(): string[] {
  const lines = threadsOf('self').flatMap((thread) => readOrEmpty(`/proc/self/task/${thread}/mountinfo`).split('\n'));
  return lines.filter((line) => line.includes('/proc/fs/_'));
}

function threadsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readLinkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function cgroupsWith(name: string): string[] {
  if (!existsSync('/sys/fs/cgroup')) return [];
  const found = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-type', 'd', '-name', `*${name}*`], {
    encoding: 'utf8',
  });
  return found.split('\n').filter((line) => line !== '');
}

function runtimeStates(): string[] {
  return ['/run/runc', '/run/crun'].flatMap((directory) =>
    existsSync(directory) ? readdirSync(directory).filter((name) => name.includes('boxwright')) : [],
  );
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function listTree(directory: string, prefix = ''): string[] {
  return readdirSync(directory)
    .toSorted()
    .flatMap((name) => {
      const path = join(directory, name);
      const below =
        statSync(path, { throwIfNoEntry: false })?.isDirectory() === true && !lstatSync(path).isSymbolicLink();
      return [prefix + name, ...(below ? listTree(path, `${prefix}${name}/`) : [])];
    });
}
