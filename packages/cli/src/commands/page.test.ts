import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { putImage } from '../testing/store-with-image.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
let root: string;

/** Runs a command line on the store of the test. */
async function cli(...args: string[]): Promise<TestContext & { code: number }> {
  const context = testContext({ env: { BOXWRIGHT_HOME: root }, cwd: root });
  return { ...context, code: await runCli(args, context) };
}

beforeEach(() => {
  root = join(temporaryDirectory(), 'store');
  using store = ImageStore.open(root);
  const app = putImage(store, [[{ path: 'bin' }, { path: 'bin/app', content: 'x'.repeat(1379) }]], ['A=\u001b[2J']);
  store.tag('docker.io/library/app:latest', app);
});

describe('page', () => {
  it('prints the history with labels, then the info, in China time', async () => {
    const { stdout, stderr, code } = await cli('page', '--lang', 'zh', 'app');
    expect(stderr.text).toBe('');
    expect(code).toBe(0);
    expect(stdout.text).toMatch(
      new RegExp(
        [
          '^镜像构建历史',
          '# 2026-01-09 08:00:00 0\\.00B 设置默认要执行的命令',
          'CMD \\["/bin/app"\\]',
          '# 2026-01-01 08:00:00 1\\.38KB 复制新文件或目录到容器中',
          'COPY files0 / # buildkit',
          '镜像信息',
          '\\{',
          '"Id": "sha256:[0-9a-f]{64}",',
          '"RepoTags": \\[',
          '"app:latest"',
          '\\],',
        ].join('\n'),
      ),
    );
    expect(stdout.text).toContain('\n"A=\\u001b[2J"\n');
    expect(stdout.text).toMatch(/\n\}\n$/);
  });

  it('takes a zone and a language', async () => {
    const { stdout } = await cli('page', '--lang', 'en', '--time-zone', 'America/New_York', 'app');
    expect(stdout.text).toMatch(/^Build history\n# 2026-01-08 19:00:00 0\.00B set the default command\n/);
    const wrong = await cli('page', '--time-zone', 'Nowhere', 'app');
    expect(wrong.stderr.text).toContain('[TIME_ZONE_INVALID]');
    expect(wrong.code).toBe(1);
  });

  it('takes the language of the locale', async () => {
    for (const [env, heading] of [
      [{ LANG: 'zh_CN.UTF-8' }, '镜像构建历史'],
      [{ LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }, 'Build history'],
      [{ LC_ALL: '', LC_MESSAGES: 'zh' }, '镜像构建历史'],
      [{}, 'Build history'],
    ] as const) {
      const context = testContext({ env: { BOXWRIGHT_HOME: root, ...env }, cwd: root });
      expect(await runCli(['page', 'app'], context)).toBe(0);
      expect(context.stdout.text.split('\n')[0]).toBe(heading);
    }
  });

  it('prints JSON, and no size that is not known', async () => {
    const before: unknown = JSON.parse((await cli('page', '--no-sizes', '--format', 'json', 'app')).stdout.text);
    expect(before).toMatchObject({ schemaVersion: 1, facts: { names: ['app:latest'], platform: 'linux/amd64' } });
    expect(before).not.toHaveProperty('facts.size');
    expect(JSON.parse((await cli('page', '--format', 'json', 'app')).stdout.text)).toMatchObject({
      facts: { size: 1379 },
      history: [{ size: 0 }, { size: 1379, instruction: { kind: 'COPY', sources: ['files0'] } }],
    });
    const after: unknown = JSON.parse((await cli('page', '--no-sizes', '--format', 'json', 'app')).stdout.text);
    expect(after).toHaveProperty('facts.size', 1379);
  });

  it('writes an HTML file with files, waste and Dockerfile, and prints nothing', async () => {
    const { stdout, stderr, code } = await cli('page', '--lang', 'en', '--html', 'app.html', 'app');
    expect([code, stdout.text, stderr.text]).toEqual([0, '', '']);
    const document = readFileSync(join(root, 'app.html'), 'utf8');
    expect(document).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    for (const part of ['/bin/app', '1.38KB', '100.0%', 'COPY</em> files0 /', 'A=\\u001b[2J', 'read locally']) {
      expect(document).toContain(part);
    }
    const without = await cli('page', '--lang', 'zh', '--no-sizes', '--html', join(root, 'zh.html'), 'app');
    expect(without.code).toBe(0);
    const chinese = readFileSync(join(root, 'zh.html'), 'utf8');
    expect(chinese).toContain('<html lang="zh-CN">');
    expect(chinese).not.toContain('id="waste"');
  });

  it('redacts secrets in the Dockerfile of an HTML file, too', async () => {
    const token = `ghp_${'0123456789abcdefghij'.repeat(2).slice(0, 36)}`;
    {
      using store = ImageStore.open(root);
      const app = putImage(store, [[{ path: 'f', content: 'x' }]], [`API_TOKEN=${token}`]);
      store.tag('docker.io/library/leaky:latest', app);
    }
    const secret = async (...flags: readonly string[]): Promise<boolean> => {
      expect((await cli('page', ...flags, '--html', 'leaky.html', 'leaky')).code).toBe(0);
      return readFileSync(join(root, 'leaky.html'), 'utf8').includes(token);
    };
    expect(await secret()).toBe(false);
    expect(await secret('--show-secrets')).toBe(true);
  });

  it('writes HTML or prints, not both', async () => {
    expect((await cli('page', '--html', 'both.html', '--format', 'json', 'app')).code).toBe(2);
    expect(existsSync(join(root, 'both.html'))).toBe(false);
    const nowhere = await cli('page', '--html', 'no/such/directory/app.html', 'app');
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr.text).toContain('no/such/directory');
  });

  it('refuses what it does not know', async () => {
    expect((await cli('page', '--lang', 'fr', 'app')).code).toBe(2);
    expect((await cli('page')).code).toBe(2);
  });
});
