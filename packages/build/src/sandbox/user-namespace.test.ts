import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { otherUser, whyOtherUserCannotRun } from '@boxwright/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoSandbox } from './testing/bed.ts';
import { installedRuntimes } from './tiers.ts';

const script = new URL('./testing/as-user.ts', import.meta.url).pathname;

function whyNot(): string | undefined {
  const reason = whyNoSandbox();
  if (reason !== undefined) return reason;
  if (spawnSync('unshare', ['--user', '--map-root-user', 'true'], otherUser).status !== 0)
    return 'users may not make user namespaces here';
  // The kernel wants a /proc of which nothing is covered (mount_too_revealing); whether there is one is not ours to say.
  const ownProc = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', 'true'];
  if (spawnSync('unshare', ownProc, otherUser).status !== 0)
    return `no user namespace may mount /proc: ${mountsBelowProc()}`;
  return whyOtherUserCannotRun(script);
}

function mountsBelowProc(): string {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const places = lines.map((line) => line.split(' ')[4] ?? '').filter((place) => place.startsWith('/proc/'));
  return `mounted below it: ${places.join(', ') || 'nothing'}`;
}

const reason = whyNot();

describe.skipIf(reason !== undefined)(`without privileges${reason === undefined ? '' : ` (${reason})`}`, () => {
  let home: string;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'boxwright-rootless-'));
    chownSync(home, otherUser.uid, otherUser.gid);
  });
  afterAll(() => rmSync(home, { recursive: true }));

  function options(): { uid: number; gid: number; env: NodeJS.ProcessEnv } {
    return { ...otherUser, env: { PATH: process.env['PATH'], TMPDIR: home, HOME: home } };
  }

  function run(tier: string, command: string): { status: number | null; result: unknown } {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', script, tier, command], {
      ...options(),
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr);
    return { status, result: JSON.parse(stdout) };
  }

  it.each(['native', ...installedRuntimes()])('runs a command in tier %s, passes output and exit code', (tier) => {
    const command =
      'id -u; echo x > /x && rm /bin/yes && ls -l /x | grep -c root; mount -t tmpfs x /tmp; mkdir /sys/fs/cgroup/x; exit 5';
    const { status, result } = run(tier, command);
    expect(status).toBe(7);
    // What went wrong is in the error output.
    expect(result).toMatchObject({ exitCode: 5, stdout: '0\n1\n', stderr: expect.not.stringContaining('Error') });
  });

  it('dies with the process that the user started', async () => {
    const marker = '543987';
    const child = spawn(process.execPath, ['--conditions=source', script, 'native', `sleep ${marker}`], {
      ...options(),
      stdio: 'ignore',
    });
    const running = (): string[] =>
      readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).endsWith(`sleep\0${marker}\0`));
    for (let attempt = 0; attempt < 100 && running().length === 0; attempt++) await sleep(50);
    expect(running()).toHaveLength(1);
    child.kill('SIGKILL');
    for (let attempt = 0; attempt < 40 && running().length > 0; attempt++) await sleep(50);
    expect(running()).toEqual([]);
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
