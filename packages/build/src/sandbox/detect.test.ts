import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectSandbox, requireSandbox } from './detect.ts';
import { runInSandbox } from './run-in-sandbox.ts';
import { whyNoSandbox } from './testing/bed.ts';

const reason = whyNoSandbox();

describe.skipIf(reason !== undefined)(`detectSandbox${reason === undefined ? '' : ` (${reason})`}`, () => {
  it('tries every tier and leaves nothing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'boxwright-detect-'));
    try {
      const report = await detectSandbox(join(directory, 'not/yet/there'));
      expect(report).toMatchObject({ works: true, overlay: { works: true }, problems: [] });
      expect(report.tiers[0]).toMatchObject({ name: 'native', works: true, seccomp: true, reason: undefined });
      expect(readdirSync(directory)).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says what is wrong with a place that overlayfs cannot use', async () => {
    const report = await detectSandbox('/proc');
    expect(report.works).toBe(false);
    expect(report.problems.length).toBeGreaterThan(0);
  });

  it('is satisfied', () => {
    expect(() => requireSandbox()).not.toThrow();
  });
});

describe.skipIf(reason !== undefined)('runInSandbox', () => {
  const spec = {
    lowerDirs: [],
    upperDir: '/nowhere/upper',
    workDir: '/nowhere/work',
    args: ['x'],
    env: [],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    mounts: [],
    network: 'default',
  } as const;

  it.each([
    ['a relative directory', { workDir: 'work' }],
    ['a user id that the kernel reads as "unchanged"', { user: { uid: 0xffffffff, gid: 0, additionalGids: [] } }],
    ['a negative group', { user: { uid: 0, gid: 0, additionalGids: [-1] } }],
    ['a NUL byte', { env: ['A=b\0c'] }],
    ['a long host name', { hostname: 'x'.repeat(65) }],
  ])('refuses %s', async (_what, wrong) => {
    await expect(runInSandbox({ ...spec, ...wrong })).rejects.toMatchObject({ code: 'SANDBOX_SPEC_INVALID' });
  });
});
