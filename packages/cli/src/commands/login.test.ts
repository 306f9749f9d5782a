import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const header = `Basic ${Buffer.from('me:topsecret').toString('base64')}`;

/** A registry that lets `me` in, or everybody; returns its host. */
async function registry({ open }: { readonly open: boolean } = { open: false }): Promise<string> {
  const server = createServer((request, response) => {
    const isIn = open || request.headers.authorization === header;
    response.setHeader('www-authenticate', 'Basic realm="test"').setHeader('content-type', 'application/json');
    response.writeHead(isIn ? 200 : 401).end(isIn ? '{}' : '{"errors":[{"code":"UNAUTHORIZED"}]}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

interface Run extends TestContext {
  readonly home: string;
  readonly code: number;
}

interface Situation {
  readonly home?: string;
  /** Standard input: text from a pipe. */
  readonly input?: string;
  /** Keys typed at a terminal. */
  readonly keys?: string;
  readonly env?: Record<string, string>;
}

async function run(args: readonly string[], situation: Situation = {}): Promise<Run> {
  const { home = temporaryDirectory(), input = '', keys, env } = situation;
  const typed = new PassThrough();
  if (keys !== undefined) typed.write(keys);
  const context = testContext({ env: { HOME: home, PATH: '/usr/bin:/bin', ...env } });
  const stdin = {
    isTTY: keys !== undefined,
    open: () => (keys === undefined ? Readable.from([Buffer.from(input)], { objectMode: false }) : typed),
  };
  const code = await runCli(args, { ...context, stdin });
  return { ...context, home, code };
}

const configOf = (home: string): string => join(home, '.docker/config.json');
const auths = (home: string): unknown => JSON.parse(readFileSync(configOf(home), 'utf8')).auths;

describe('boxwright login', () => {
  it('reads the password from standard input, asks the registry, and stores it', async () => {
    const host = await registry();
    const { code, home, stdout, stderr } = await run(['login', '-u', 'me', '--password-stdin', host], {
      input: 'topsecret\n',
    });
    expect(stderr.text).toBe(
      `note: stored in ${configOf(home)}, which you alone can read but which is not encrypted\n`,
    );
    expect(stdout.text).toBe(`Logged in to ${host} as me\n`);
    expect(code).toBe(0);
    expect(auths(home)).toEqual({ [host]: { auth: header.slice(6) } });
    const out = await run(['logout', host], { home });
    expect(out.stdout.text).toBe(`Removed credentials for ${host} from ${configOf(home)}\n`);
    expect(auths(home)).toEqual({});
    expect((await run(['logout', host], { home })).stderr.text).toBe(`note: there were no credentials for ${host}\n`);
  });

  it('asks for name and password on a terminal', async () => {
    const host = await registry();
    const { code, home, stderr } = await run(['login', host], { keys: 'me\rtopsecret\r' });
    expect(stderr.text).toMatch(new RegExp(`^Username for ${host}: Password: \\nnote: stored in `));
    expect(code).toBe(0);
    expect(auths(home)).toEqual({ [host]: { auth: header.slice(6) } });
  });

  it('is interrupted by Ctrl-C', async () => {
    const { code, stderr } = await run(['login', '-u', 'me', 'example.com'], { keys: 'tops\x03' });
    expect(code).toBe(130);
    expect(stderr.text).not.toContain('tops');
  });

  it('stores nothing that the registry refuses, and shows no password', async () => {
    const host = await registry();
    const args = ['login', '-u', 'me', '--password-stdin', host];
    const { code, home, stdout, stderr } = await run(args, { input: 'wrongsecret', env: { BOXWRIGHT_DEBUG: '1' } });
    expect(code).toBe(1);
    expect(stderr.text).toMatch(/does not accept user me: .*REGISTRY_UNAUTHORIZED/);
    expect(stderr.text).toContain('hint: Check name and password.');
    expect(stderr.text).toContain(host);
    expect(stdout.text + stderr.text).not.toMatch(/wrongsecret|bWU6d3Jvbmdz/);
    expect(existsSync(configOf(home))).toBe(false);
  });

  it('says when the registry has not looked at the credentials', async () => {
    const host = await registry({ open: true });
    const { code, stderr } = await run(['login', '-u', 'me', '--password-stdin', host], { input: 'any' });
    expect(code).toBe(0);
    expect(stderr.text).toContain(`note: ${host} did not ask for credentials, so they may be wrong\n`);
  });

  it('does not tell the one who logs in to be logged in already', async () => {
    const host = await registry();
    const home = temporaryDirectory();
    const input = 'topsecret';
    await run(['login', '-u', 'me', '--password-stdin', host], { home, input });
    const { code } = await run(['login', '-u', 'you', '--password-stdin', host], { home, input });
    expect(code).toBe(1);
    expect(auths(home)).toEqual({ [host]: { auth: header.slice(6) } });
  });

  it.each([
    [['-u', 'me', '-p', 'topsecret', 'example.com'], 'use --password-stdin'],
    [['--password-stdin', 'example.com'], '--password-stdin needs --username'],
    [['-u', 'me', 'example.com'], 'Give it on standard input with --password-stdin'],
    [['-u', 'me', '--password-stdin', 'example.com'], 'the password is empty'],
    [['-u', 'me:you', '--password-stdin', 'example.com'], 'password is empty'],
    [['somebody'], 'is not a registry'],
    [['--explain', 'alpine', 'example.com'], '--explain takes one image'],
  ])('%j is a wrong call', async (args, words) => {
    const { code, stderr } = await run(['login', ...args]);
    expect(stderr.text).toContain(words);
    expect(stderr.text).not.toContain('topsecret');
    expect(code).toBe(2);
  });
});

describe('boxwright login --explain', () => {
  it('shows whose credentials are used, where they are from and what was looked at', async () => {
    const home = temporaryDirectory();
    const file = join(home, 'auth.json');
    const auth = header.slice(6);
    writeFileSync(file, JSON.stringify({ auths: { 'example.com/team': { auth }, 'example.com': {} } }));
    const env = { REGISTRY_AUTH_FILE: file };
    const { code, stdout } = await run(['login', '--explain', 'example.com/team/app:1'], { home, env });
    expect(stdout.text).toBe(
      [
        'example.com/team/app',
        '  credentials  user me',
        `  from         auths["example.com/team"] of ${file}`,
        '  to pull      token scope repository:team/app:pull',
        '  to push      token scope repository:team/app:pull,push',
        `  looked at    auths["example.com/team"] of ${file}: used`,
        `  files        ${file}: read`,
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
    const json = await run(['login', '--explain', 'example.com/other', '--format', 'json'], { home, env });
    expect(JSON.parse(json.stdout.text)).toEqual({
      repository: 'example.com/other',
      credential: null,
      scopes: { pull: 'repository:other:pull', push: 'repository:other:pull,push' },
      looked: [{ place: `auths["example.com"] of ${file}`, result: 'nothing' }],
      files: [{ name: file, state: 'read' }],
    });
  });

  it('says that there are none', async () => {
    const { stdout, home } = await run(['login', '--explain', 'ghcr.io']);
    expect(stdout.text).toBe(
      [
        'ghcr.io',
        '  credentials  none: asked as anybody',
        '  from         -',
        `  files        ${configOf(home)}: missing`,
        `               ${join(home, '.config/containers/auth.json')}: missing`,
        '',
      ].join('\n'),
    );
  });
});
