import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestRegistry, type TestAuth, type TestRegistry } from '../testing/index.ts';
import { createTransport, type HttpResponse, type HttpTransport } from '../transport/index.ts';
import type { Authenticator, Scope } from './authenticator.ts';
import { createAuthenticator } from './create-authenticator.ts';
import { type Credential, type CredentialStore, fixedCredential } from './credential.ts';
import { Secret } from './secret.ts';

const users = { me: 'topsecret' };
const me: Credential = { kind: 'password', username: 'me', password: new Secret('topsecret') };

let transport: HttpTransport;
const open: TestRegistry[] = [];

beforeEach(() => {
  transport = createTransport();
  return () => transport.close();
});
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
});

async function start(auth: TestAuth): Promise<TestRegistry> {
  const registry = await startTestRegistry({ auth });
  open.push(registry);
  return registry;
}

const authenticatorFor = (credential: Credential | undefined): Authenticator =>
  createAuthenticator({ transport, credentials: fixedCredential(credential, 'the test') });

const answersOf =
  (authenticator: Authenticator): Authenticator['answer'] =>
  (...args) =>
    authenticator.answer(...args);

/** A client that does what challenges ask for as long as the authenticator has something to try. */
async function ask(
  authenticator: Authenticator,
  registry: TestRegistry,
  path: string,
  ...scopes: Scope[]
): Promise<{ response: HttpResponse; tries: number }> {
  const url = new URL(path, registry.url);
  let authorization = await authenticator.header(url.origin, registry.host, scopes);
  for (let tries = 1; ; tries++) {
    const response = await transport.send({
      method: 'GET',
      url,
      headers: authorization === undefined ? {} : { authorization },
    });
    await response.discard();
    if (response.status !== 401 || tries === 10) return { response, tries };
    const next = await authenticator.answer(
      url.origin,
      registry.host,
      scopes,
      response.headers('www-authenticate'),
      authorization,
    );
    if (next === undefined) return { response, tries };
    authorization = next;
  }
}

const scopeOf = (registry: TestRegistry, path: string, ...actions: Scope['actions']): Scope => ({
  repository: { registry: registry.host, path },
  actions: actions.length === 0 ? ['pull'] : actions,
});

/** 404 is an answer: the registry let us in. */
const list = (authenticator: Authenticator, registry: TestRegistry, name: string) =>
  ask(authenticator, registry, `/v2/${name}/tags/list`, scopeOf(registry, name));

describe('Basic', () => {
  it('is sent when it was asked for, and from then on unasked', async () => {
    const registry = await start({ kind: 'basic', users });
    const authenticator = authenticatorFor(me);
    expect(await ask(authenticator, registry, '/v2/')).toMatchObject({ tries: 2, response: { status: 200 } });
    expect(registry.requests[0]?.headers.authorization).toBeUndefined();
    expect(await ask(authenticator, registry, '/v2/')).toMatchObject({ tries: 1, response: { status: 200 } });
  });

  it('is sent once when it is wrong', async () => {
    const registry = await start({ kind: 'basic', users: { me: 'other' } });
    expect(await ask(authenticatorFor(me), registry, '/v2/')).toMatchObject({ tries: 2, response: { status: 401 } });
    expect(await ask(authenticatorFor(undefined), registry, '/v2/')).toMatchObject({ tries: 1 });
  });
});

describe('tokens', () => {
  it('are fetched once for any number of requests at a time', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    await Promise.all(Array.from({ length: 8 }, () => list(authenticator, registry, 'a')));
    expect(registry.count({ kind: 'token' })).toBe(1);
    expect(await list(authenticator, registry, 'a')).toMatchObject({ tries: 1 });
    expect(registry.count({ kind: 'token' })).toBe(1);
  });

  it('are asked for with service, scopes and Basic credentials', async () => {
    const registry = await start({ kind: 'token', users, service: 'my service' });
    const scopes = [scopeOf(registry, 'b', 'push', 'pull'), scopeOf(registry, 'a')];
    await ask(authenticatorFor(me), registry, '/v2/b/tags/list', ...scopes);
    const [request] = registry.requests.filter(({ kind }) => kind === 'token');
    const { searchParams } = new URL(request?.path ?? '', registry.url);
    expect([...searchParams]).toEqual([
      ['service', 'my service'],
      ['scope', 'repository:a:pull'],
      ['scope', 'repository:b:pull,push'],
      ['account', 'me'],
    ]);
    expect(request?.headers.authorization).toBe(`Basic ${Buffer.from('me:topsecret').toString('base64')}`);
  });

  it('for another repository are fetched without being refused first', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    await list(authenticator, registry, 'a');
    expect(await list(authenticator, registry, 'b')).toMatchObject({ tries: 1 });
  });

  it('that are not given unasked are no error before the registry asks', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    await list(authenticator, registry, 'a');
    registry.faults.add({ on: { kind: 'token' }, times: 1, action: { kind: 'status', status: 403 } });
    expect(await list(authenticator, registry, 'b')).toMatchObject({ tries: 2, response: { status: 404 } });
  });

  it('for a mount hold both repositories, and serve each of them', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    const scopes = [scopeOf(registry, 'to', 'pull', 'push'), scopeOf(registry, 'from')];
    await ask(authenticator, registry, '/v2/to/tags/list', ...scopes);
    await list(authenticator, registry, 'from');
    expect(registry.count({ kind: 'token' })).toBe(1);
  });

  it('for one repository are not forgotten for one that promises more: not all of it may be granted', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    await list(authenticator, registry, 'a');
    await ask(
      authenticator,
      registry,
      '/v2/b/tags/list',
      scopeOf(registry, 'b'),
      scopeOf(registry, 'a', 'pull', 'push'),
    );
    const [first, second] = registry.requests.filter(({ kind, status }) => kind === 'tags' && status !== 401);
    await list(authenticator, registry, 'a');
    expect(registry.requests.at(-1)?.credential).toBe(first?.credential);
    expect(second?.credential).not.toBe(first?.credential);
  });

  it.each(['token', 'access_token', 'both'] as const)('may be called %s', async (field) => {
    const registry = await start({ kind: 'token', users, field });
    expect(await list(authenticatorFor(me), registry, 'a')).toMatchObject({ tries: 2, response: { status: 404 } });
  });

  it('are given to everybody for what is public', async () => {
    const registry = await start({ kind: 'token', users, anonymousPull: true });
    expect(await list(authenticatorFor(undefined), registry, 'a')).toMatchObject({ response: { status: 404 } });
    expect(registry.requests.every(({ headers }) => !headers.authorization?.startsWith('Basic'))).toBe(true);
  });

  it('are got with an identity token by POST', async () => {
    const registry = await start({ kind: 'token', users });
    const identityToken = new Secret(registry.tokens?.makeRefreshToken('me') ?? '');
    const authenticator = authenticatorFor({ kind: 'identity-token', identityToken });
    expect(await list(authenticator, registry, 'a')).toMatchObject({ response: { status: 404 } });
    expect(registry.log({ kind: 'token' })).toEqual(['POST /token']);
  });

  it('of the catalogue are asked for as the challenge says', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    await list(authenticator, registry, 'a');
    expect(await ask(authenticator, registry, '/v2/_catalog')).toMatchObject({ response: { status: 200 } });
    expect(registry.log({ kind: 'token' }).at(-1)).toContain('registry%3Acatalog%3A*');
  });

  it('that the registry takes as they are are sent as they are', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor({ kind: 'registry-token', registryToken: new Secret('ready-made') });
    expect(await list(authenticator, registry, 'a')).toMatchObject({ tries: 2, response: { status: 401 } });
    expect(registry.count({ kind: 'token' })).toBe(0);
    expect(registry.requests.at(-1)?.headers.authorization).toBe('Bearer ready-made');
  });
});

describe('R8: tokens that end', () => {
  it('are renewed before they do, at four fifths of their life', async () => {
    const registry = await start({ kind: 'token', users, lifeSeconds: 1 });
    const authenticator = authenticatorFor(me);
    await list(authenticator, registry, 'a');
    await new Promise((resolve) => setTimeout(resolve, 850));
    expect(await list(authenticator, registry, 'a')).toMatchObject({ tries: 1, response: { status: 404 } });
    expect(registry.count({ kind: 'token' })).toBe(2);
  });

  it('serve as long as they live when the renewal fails', async () => {
    const registry = await start({ kind: 'token', users, lifeSeconds: 2 });
    const authenticator = authenticatorFor(me);
    await list(authenticator, registry, 'a');
    registry.faults.add({ on: { kind: 'token' }, times: 1, action: { kind: 'status', status: 403 } });
    await new Promise((resolve) => setTimeout(resolve, 1650));
    expect(await list(authenticator, registry, 'a')).toMatchObject({ tries: 1, response: { status: 404 } });
  });

  it('before their time are replaced once, for all requests together', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    await list(authenticator, registry, 'a');
    registry.tokens?.expireAll();
    const all = await Promise.all(Array.from({ length: 5 }, () => list(authenticator, registry, 'a')));
    expect(all.map(({ response }) => response.status)).toEqual(all.map(() => 404));
    expect(registry.count({ kind: 'token' })).toBe(2);
  });

  it('together with one for more are not replaced by that one', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    // The one for less first: it would not be asked for while the other covers it.
    await list(authenticator, registry, 'a');
    await ask(authenticator, registry, '/v2/b/tags/list', scopeOf(registry, 'b'), scopeOf(registry, 'a'));
    registry.tokens?.expireAll();
    expect(await list(authenticator, registry, 'a')).toMatchObject({ tries: 2, response: { status: 404 } });
  });

  it('every time anew are replaced for each request', async () => {
    const registry = await start({ kind: 'token', users });
    const authenticator = authenticatorFor(me);
    const action = (): undefined => {
      registry.tokens?.expireAll();
    };
    registry.faults.add({ on: { kind: 'tags' }, every: 2, times: 99, action });
    for (let count = 0; count < 10; count++) {
      expect(await list(authenticator, registry, 'a')).toMatchObject({ response: { status: 404 } });
    }
  });

  it('do not lead into a loop when the registry refuses every one', async () => {
    const registry = await start({ kind: 'token', users, refuseAll: true });
    const { response, tries } = await list(authenticatorFor(me), registry, 'a');
    expect(response.status).toBe(401);
    expect(tries).toBe(4);
    expect(registry.count({ kind: 'token' })).toBe(3);
  });

  it('do not lead many requests at a time into a loop either', async () => {
    const registry = await start({ kind: 'token', users, refuseAll: true });
    const authenticator = authenticatorFor(me);
    const all = await Promise.all(Array.from({ length: 5 }, () => list(authenticator, registry, 'a')));
    expect(Math.max(...all.map(({ tries }) => tries))).toBeLessThan(10);
    expect(registry.count({ kind: 'token' })).toBeLessThanOrEqual(3 * all.length);
  });
});

describe('R1: credentials belong to the registry', () => {
  it('and are given to no other origin, port or scheme', async () => {
    const registry = await start({ kind: 'basic', users });
    const authenticator = authenticatorFor(me);
    await ask(authenticator, registry, '/v2/');
    const challenges = ['Basic realm="x"', 'Bearer realm="https://example.com/token"'];
    for (const origin of [`http://${registry.elsewhere}`, 'https://example.com', `https://other.${registry.host}`]) {
      expect(await authenticator.header(origin, registry.host, [])).toBeUndefined();
      expect(await authenticator.answer(origin, registry.host, [], challenges, undefined)).toBeUndefined();
    }
    expect(registry.count({ kind: 'token' })).toBe(0);
  });

  it('knows the API of Docker Hub as its own', async () => {
    const answer = answersOf(authenticatorFor(me));
    const basic = ['Basic realm="x"'];
    expect(await answer('https://registry-1.docker.io', 'docker.io', [], basic, undefined)).toMatch(/^Basic /);
    expect(await answer('https://docker.io.example.com', 'docker.io', [], basic, undefined)).toBeUndefined();
    expect(await answer('https://example.com', 'example.com:443', [], basic, undefined)).toMatch(/^Basic /);
  });

  it.each<[string, string, string]>([
    ['http://auth.example.com/token', 'REDIRECT_REFUSED', 'not HTTPS'],
    ['https://user:pw@auth.example.com/token', 'REDIRECT_REFUSED', 'credentials'],
    ['https://127.0.0.1:1/token', 'REDIRECT_REFUSED', '127.0.0.1'],
    ['https://169.254.169.254/latest', 'REDIRECT_REFUSED', '169.254.169.254'],
    ['https://[::1]:1/token', 'REDIRECT_REFUSED', '::1'],
    ['ftp://auth.example.com/', 'REGISTRY_ANSWER_INVALID', 'realm'],
    ['/token', 'REGISTRY_ANSWER_INVALID', 'realm'],
    ['', 'REGISTRY_ANSWER_INVALID', 'realm'],
  ])('realm %j of a public registry is refused', async (realm, code, words) => {
    const answer = answersOf(authenticatorFor(me));
    // An address of documentation (RFC 5737) needs no name service to be public.
    const error: unknown = await answer(
      'https://203.0.113.5',
      '203.0.113.5',
      [],
      [`Bearer realm="${realm}",service="s"`],
      undefined,
    ).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(inspect(error, { depth: 9 })).not.toMatch(/topsecret|user:pw/);
  });
});

describe('token services that fail', () => {
  const failing = async (credential: Credential | undefined, status: number, body: string): Promise<unknown> => {
    const registry = await start({ kind: 'token', users });
    registry.faults.add({ on: { kind: 'token' }, times: 99, action: { kind: 'status', status, body } });
    return list(authenticatorFor(credential), registry, 'a').catch((caught: unknown) => caught);
  };

  it.each<[number, string]>([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
    [400, 'REGISTRY_REFUSED'],
    [302, 'REGISTRY_REFUSED'],
  ])('with %i', async (status, code) => {
    const error = await failing(me, status, '{"details":"no \\u001b[2J way"}');
    expect(error).toMatchObject({ code, message: expect.stringContaining('no \\x1b[2J way') });
  });

  it('say whether and when to ask again, whatever the request is', async () => {
    const busy = await failing(me, 503, '');
    expect(busy).toMatchObject({ code: 'REGISTRY_UNAVAILABLE', details: { transient: true, connected: false } });
    const registry = await start({ kind: 'token', users });
    const headers = { 'retry-after': '7' };
    registry.faults.add({ on: { kind: 'token' }, action: { kind: 'status', status: 429, headers } });
    await expect(list(authenticatorFor(me), registry, 'a')).rejects.toMatchObject({
      code: 'REGISTRY_RATE_LIMITED',
      details: { transient: true, connected: false, retryAfterMs: 7000 },
    });
    registry.faults.add({ on: { kind: 'token' }, times: 9, action: { kind: 'refuse' } });
    await expect(list(authenticatorFor(me), registry, 'a')).rejects.toMatchObject({
      code: 'REGISTRY_CONNECTION',
      message: expect.stringContaining(`token service ${registry.host}`),
      details: { transient: true, connected: false },
    });
  });

  it('R3: may not answer without bounds', async () => {
    const registry = await start({ kind: 'token', users });
    const body = `{"token":"${'x'.repeat(2_000_000)}"}`;
    registry.faults.add({ on: { kind: 'token' }, action: { kind: 'status', status: 200, body } });
    await expect(list(authenticatorFor(me), registry, 'a')).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
    registry.faults.add({ on: { kind: 'token' }, action: { kind: 'status', status: 401, body } });
    const error: unknown = await list(authenticatorFor(me), registry, 'a').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    expect(String(error).length).toBeLessThan(1000);
  });

  it.each([
    ['<html>log in first</html>', 'HTML'],
    ['nonsense', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['{}', 'no token'],
    ['{"token":"a\\nb: c"}', 'not one'],
  ])('with 200 and %s', async (body, words) => {
    const error = await failing(me, 200, body);
    expect(error).toMatchObject({ code: 'REGISTRY_ANSWER_INVALID', message: expect.stringContaining(words) });
  });

  it('never bring a secret into an error, whatever they repeat', async () => {
    const basic = Buffer.from('me:topsecret').toString('base64');
    const body = JSON.stringify({ details: `bad password topsecret in Basic ${basic} of ${btoa('topsecret')}` });
    const error = await failing(me, 401, body);
    expect(error).toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringContaining('bad password ***'),
    });
    expect(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}`).not.toMatch(
      new RegExp(`topsecret|${basic}|${btoa('topsecret')}`),
    );
    const identity: Credential = { kind: 'identity-token', identityToken: new Secret('identity+secret') };
    const other = await failing(identity, 401, '{"error_description":"identity+secret or identity%2Bsecret?"}');
    expect(inspect(other, { depth: 9 })).not.toMatch(/identity.{1,3}secret/);
  });
});

describe('a description', () => {
  it('says whose credentials, not which', async () => {
    const repository = { registry: 'example.com', path: 'a' };
    expect(await authenticatorFor(me).describe(repository)).toBe('user me, from the test');
    expect(await authenticatorFor(undefined).describe(repository)).toBe('no credentials for example.com/a');
    const broken = { ...fixedCredential(me, ''), lookup: () => Promise.reject(new Error('helper is ill')) };
    const authenticator = createAuthenticator({ transport, credentials: broken });
    expect(await authenticator.describe(repository)).toBe('no credentials (helper is ill)');
  });

  it('and inspecting a store shows no secret', () => {
    const store: CredentialStore = fixedCredential(me, 'the test');
    expect(inspect([me, store], { depth: 9, showHidden: true })).not.toContain('topsecret');
    expect(JSON.stringify(me)).not.toContain('topsecret');
  });
});
