import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeTiers } from './testing/tiers.ts';
import { processesWith } from './testing/traces.ts';

describeTiers('a sandboxed command', (tier) => {
  describe('the command', () => {
    it('gives its output and exit code', async () => {
      const result = await tier.bed.run('echo out; echo err >&2; exit 3');
      expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
    });

    it('reports a death by signal as a shell does', async () => {
      expect((await tier.bed.run('sh -c "kill -TERM \\$\\$"; exit $?')).exitCode).toBe(143);
    });

    it('gets arguments byte for byte, and only the environment of the spec', async () => {
      const args = ['/bin/printf', '[%s]', 'a b', '', '$HOME', 'ü\n"'];
      expect((await tier.bed.run('', { args })).stdout).toBe('[a b][][$HOME][ü\n"]');
      const env = ['PATH=/bin', 'A=1 2', 'B='];
      expect(
        (await tier.bed.run('', { args: ['env'], env })).stdout.split('\n').filter((line) => !line.startsWith('HOME=')),
      ).toEqual([...env, '']);
    });

    it('finds its program in PATH', async () => {
      expect((await tier.bed.run('', { args: ['basename', '/x/y'], env: ['PATH=/nowhere:/bin'] })).stdout).toBe('y\n');
    });

    it('has HOME from the image when it is not set', async () => {
      expect((await tier.bed.run('echo $HOME', { user: { uid: 1000, gid: 1000, additionalGids: [] } })).stdout).toBe(
        '/home/app\n',
      );
      expect((await tier.bed.run('echo $HOME', { user: { uid: 77, gid: 0, additionalGids: [] } })).stdout).toBe('/\n');
      expect((await tier.bed.run('echo $HOME', { env: ['PATH=/bin', 'HOME=/h'] })).stdout).toBe('/h\n');
    });

    it('runs as user, group and groups', async () => {
      const { stdout } = await tier.bed.run('id; umask; touch /tmp/mine; stat -c %u:%g /tmp/mine', {
        user: { uid: 1000, gid: 1001, additionalGids: [5] },
      });
      expect(stdout).toBe('uid=1000(app) gid=1001 groups=5,1001\n0022\n1000:1001\n');
    });

    it('can open /dev/stdout again, also as another user', async () => {
      const result = await tier.bed.run('echo a > /dev/stdout; echo b > /dev/stderr', {
        user: { uid: 1000, gid: 1000, additionalGids: [] },
      });
      expect(result).toMatchObject({ stdout: 'a\n', stderr: 'b\n' });
    });

    it('has an empty stdin', async () => {
      expect((await tier.bed.run('cat; echo end')).stdout).toBe('end\n');
    });

    it('streams more output than a pipe holds', async () => {
      let bytes = 0;
      const onOutput = (_stream: 1 | 2, chunk: Uint8Array): void => {
        bytes += chunk.length;
      };
      expect((await tier.bed.run('yes 0123456789abcde | head -c 20000000', { onOutput })).exitCode).toBe(0);
      expect(bytes).toBe(20_000_000);
    });

    it('makes a working directory that is missing, for its user', async () => {
      const { stdout } = await tier.bed.run('pwd; stat -c "%u:%g %a" . ..', {
        cwd: '/srv/app/x',
        user: { uid: 1000, gid: 1000, additionalGids: [] },
      });
      expect(stdout).toBe('/srv/app/x\n1000:1000 755\n1000:1000 755\n');
    });

    it('goes on when its program forks into the background, and takes that down at its end', async () => {
      const marker = '987123';
      await tier.bed.run(`setsid sleep ${marker} >/dev/null 2>&1 </dev/null & sleep 0.05`);
      expect(processesWith(marker)).toEqual([]);
    });

    it('sees itself as the first process, and no other', async () => {
      expect((await tier.bed.run('echo $$; ls /proc | grep -c "^[0-9]"')).stdout).toBe('1\n3\n');
    });

    it('has a name, hosts and resolv.conf', async () => {
      const spec = { extraHosts: [{ host: 'db', address: '10.0.0.7' }] };
      const { stdout } = await tier.bed.run('hostname; cat /etc/hosts; cat /etc/resolv.conf', spec);
      const hosts = '127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.7\tdb\n';
      expect(stdout).toBe(`buildkitsandbox\n${hosts}${readFileSync('/etc/resolv.conf', 'utf8')}`);
      expect((await tier.bed.run('hostname', { hostname: 'other' })).stdout).toBe('other\n');
    });

    it('has no network but loopback with none, the host network else', async () => {
      const links = async (network: 'none' | 'host'): Promise<string> =>
        (await tier.bed.run('ip -o link | grep -c .; ip -o addr | grep -c 127.0.0.1', { network })).stdout;
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
      expect(await code(tier.bed.run('', { args: ['nonesuch'] }))).toMatchObject({
        code: 'SANDBOX_COMMAND_NOT_FOUND',
        details: { command: 'nonesuch' },
      });
    });

    it('knows that a scratch image has no shell', async () => {
      const error = await code(tier.bed.run('true', { lowerDirs: [] }));
      expect(error).toMatchObject({
        code: 'SANDBOX_COMMAND_NOT_FOUND',
        hint: expect.stringContaining('FROM scratch') as string,
      });
    });

    it('tells a file that is not executable from one that is missing', async () => {
      const layer = tier.bed.layer('not-executable');
      tier.bed.write(join(layer, 'x'), 'text');
      expect(await code(tier.bed.run('', { args: ['/x'], lowerDirs: [tier.bed.base, layer] }))).toMatchObject({
        code: 'SANDBOX_COMMAND_NOT_EXECUTABLE',
      });
    });

    it('names the missing interpreter of a script', async () => {
      const layer = tier.bed.layer('interpreter');
      tier.bed.write(join(layer, 'x'), '#!/usr/bin/python9 -u\n');
      chmodSync(join(layer, 'x'), 0o755);
      const error = await code(tier.bed.run('', { args: ['/x'], lowerDirs: [tier.bed.base, layer] }));
      expect(error).toMatchObject({
        code: 'SANDBOX_COMMAND_NOT_FOUND',
        message: expect.stringContaining('/usr/bin/python9') as string,
      });
    });

    it('explains a program of another processor', async () => {
      const layer = tier.bed.layer('foreign');
      const program = readFileSync(join(tier.bed.base, 'bin/busybox'));
      program.writeUInt16LE(22, 18); // s390x
      writeFileSync(join(layer, 'x'), program, { mode: 0o755 });
      const error = await code(tier.bed.run('', { args: ['/x'], lowerDirs: [tier.bed.base, layer] }));
      expect(error).toMatchObject({
        code: 'SANDBOX_COMMAND_FOREIGN',
        message: expect.stringContaining('s390x') as string,
      });
    });

    it('refuses a working directory that is a file', async () => {
      expect(await code(tier.bed.run('true', { cwd: '/etc/passwd' }))).toMatchObject({ code: 'SANDBOX_PATH_INVALID' });
    });

    it('goes on working after an error', async () => {
      await code(tier.bed.run('', { args: ['nonesuch'] }));
      expect((await tier.bed.run('echo still')).stdout).toBe('still\n');
    });
  });
});
