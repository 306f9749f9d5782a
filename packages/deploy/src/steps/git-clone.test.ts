import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { testStepContext } from '../testing/step-context.ts';
import { gitClone } from './git-clone.ts';
import { gitEnvironment } from './git-credentials.ts';
import { Redactor } from './redactor.ts';

interface Repository {
  readonly url: string;
  readonly commit: (text: string) => string;
}

/** A repository `app.git` with a branch `main` and one `side`. */
function repository(): Repository {
  const directory = join(temporaryDirectory(), 'app.git');
  mkdirSync(join(directory, 'sub'), { recursive: true });
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  git('init', '-q', '-b', 'main');
  // What servers allow: commits by name, partial clones.
  git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  git('config', 'uploadpack.allowFilter', 'true');
  writeFileSync(join(directory, 'sub/other'), 'other');
  const commit = (text: string): string => {
    writeFileSync(join(directory, 'file'), text);
    git('add', '.');
    git('commit', '-q', '-m', text);
    return git('rev-parse', 'HEAD');
  };
  commit('one');
  git('branch', 'side');
  return { url: `file://${directory}`, commit };
}

describe('gitClone', () => {
  it('clones, and brings up to date', async () => {
    const { url, commit } = repository();
    const context = testStepContext();
    expect(await gitClone({ repository: url }, context)).toEqual({ directory: 'app' });
    const file = join(context.directory.path, 'app/file');
    expect(readFileSync(file, 'utf8')).toBe('one');
    commit('two');
    await gitClone({ repository: url }, context);
    expect(readFileSync(file, 'utf8')).toBe('two');
  });

  it('takes a branch, a commit, some directories', async () => {
    const { url, commit } = repository();
    const two = commit('two');
    commit('three');
    const context = testStepContext();
    const read = (path: string): string => readFileSync(join(context.directory.path, path), 'utf8');
    expect(await gitClone({ repository: url, branch: 'side' }, context)).toEqual({ directory: 'app-side' });
    expect(read('app-side/file')).toBe('one');
    await gitClone({ repository: url, commitSha: two, cloneDirectoryName: 'at-two' }, context);
    expect(read('at-two/file')).toBe('two');
    await gitClone({ repository: url, directories: ['sub'], cloneDirectoryName: 'part' }, context);
    expect(read('part/sub/other')).toBe('other');
  });

  it('leaves nothing behind when it fails', async () => {
    const { url } = repository();
    const abort = new AbortController();
    const context = testStepContext({ signal: abort.signal });
    const stop = (async (): Promise<void> => {
      while (!context.lines.some((line) => line.includes('trying again'))) {
        await new Promise((fulfil) => setTimeout(fulfil, 10));
      }
      abort.abort(new Error('stop waiting'));
    })();
    await expect(gitClone({ repository: url, branch: 'none' }, context)).rejects.toThrow(/abort|stop waiting/);
    await stop;
    expect(existsSync(join(context.directory.path, 'app-none'))).toBe(false);
  });

  it.each([
    { branch: '--upload-pack=touch x' },
    { branch: 'a', commitSha: 'abcdef' },
    { commitSha: 'HEAD' },
    { repository: 'ext::sh -c touch% x' },
    { repository: '--upload-pack=x' },
    { cloneDirectoryName: '../out' },
    { directories: ['--stdin'] },
    { accessToken: 'a', credentials: { token: 'b' } },
  ])('refuses %j', async (options) => {
    const clone = gitClone({ repository: 'https://example.com/a.git', ...options }, testStepContext());
    await expect(clone).rejects.toMatchObject({ code: 'STEP_INPUT_INVALID' });
  });
});

describe('gitEnvironment', () => {
  it.each([
    ['https://github.com/a/b.git', { token: 'tok12345' }, 'x-access-token:tok12345'],
    ['https://gitlab.example.com/a/b.git', { token: 'tok12345' }, 'oauth2:tok12345'],
    ['https://bitbucket.org/a/b.git', { token: 'tok12345' }, 'x-token-auth:tok12345'],
    ['https://bitbucketserver.example.com/a.git', { token: 'me:tok12345' }, 'me:tok12345'],
    ['https://example.com/a.git', { username: 'me', password: 'pass12345' }, 'me:pass12345'],
  ])('%s', (url, credentials, login) => {
    const redactor = new Redactor();
    const env = gitEnvironment({ env: { GIT_CONFIG_COUNT: '1' }, redactor }, url, credentials);
    const basic = Buffer.from(login).toString('base64');
    expect(env).toMatchObject({
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_1: `http.${new URL(url).origin}/.extraHeader`,
      GIT_CONFIG_VALUE_1: `Authorization: Basic ${basic}`,
    });
    expect(redactor.redact(basic)).not.toContain(basic.slice(0, -2));
  });

  it('refuses credentials without a secret, and addresses that take none', () => {
    const context = { env: {}, redactor: new Redactor() };
    const invalid = expect.objectContaining({ code: 'STEP_INPUT_INVALID' });
    expect(() => gitEnvironment(context, 'https://example.com/a', { username: 'me' })).toThrowError(invalid);
    expect(() => gitEnvironment(context, 'git@example.com:a.git', { token: 'x' })).toThrowError(invalid);
  });
});
