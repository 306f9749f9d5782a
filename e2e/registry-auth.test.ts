import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  findProblems,
  putExampleImage,
  putExampleIndex,
  startTokenService,
  TestAuthority,
} from '../packages/oci/src/registry/testing/index.ts';
import { missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { expectError } from './support/expect-error.ts';
import { dockerRegistry, testRegistry } from './support/registries.ts';
import { basicAuth, testUser, type User, writeDockerConfig } from './support/user.ts';

const missing = await missingDockerRegistry();
const users = { ann: 'correct horse' };
const auth = basicAuth('ann', 'correct horse');

/** A user whose store holds an image `HOST/app:1`; returns its name. */
async function withImage(user: User): Promise<string> {
  const source = await testRegistry();
  putExampleIndex(source.repository('app'), ['amd64'], { tag: '1', layers: [300_000, 10] });
  await user.runOk(['pull', '--quiet', '--platform', 'all', `${source.host}/app:1`]);
  return `${source.host}/app:1`;
}

function dockerConfig(user: User): string {
  return readFileSync(join(user.directory, '.docker/config.json'), 'utf8');
}

describe.skipIf(missing !== undefined)('CNCF Distribution with htpasswd', () => {
  it('takes pushes after login, refuses them before and after logout', async () => {
    const { host, url } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
    const user = testUser();
    const image = await withImage(user);
    expectError(await user.run(['push', image, `${host}/app:1`]), /^REGISTRY_UNAUTHORIZED$/, host, /login/);
    const wrong = await user.run(['login', '-u', 'ann', '--password-stdin', host], { input: 'wrong' });
    expectError(wrong, /^REGISTRY_UNAUTHORIZED$/, host);
    expect(existsSync(join(user.directory, '.docker/config.json'))).toBe(false);
    const login = ['login', '-u', REGISTRY_USER.name, '--password-stdin', host];
    const { stdout, stderr } = await user.runOk(login, { input: `${REGISTRY_USER.password}\n` });
    expect(`${stdout.toString()}${stderr}`).not.toContain(REGISTRY_USER.password);
    expect(statSync(join(user.directory, '.docker/config.json')).mode & 0o777).toBe(0o600);
    await user.runOk(['push', '-q', image, `${host}/app:1`]);
    expect(await findProblems(url, 'app', '1', { authorization: `Basic ${auth}` })).toEqual([]);
    const explained = await user.runOk(['login', '--explain', `${host}/app:1`]);
    expect(explained.stdout.toString()).toMatch(/config\.json/);
    expect(explained.stdout.toString()).toContain('ann');
    expect(explained.stdout.toString()).not.toContain(REGISTRY_USER.password);
    await user.runOk(['logout', host]);
    expect(dockerConfig(user)).not.toContain(auth);
    expectError(await user.run(['tags', `${host}/app`]), /^REGISTRY_UNAUTHORIZED$/, host);
  });
});

describe.skipIf(missing !== undefined)('CNCF Distribution with a token service', () => {
  it('takes pushes, mounts and pulls with tokens', async () => {
    const authority = new TestAuthority();
    const signing = { ...authority.own, issuer: 'e2e' };
    const tokens = await startTokenService({ users, signing, lifeSeconds: 60 });
    onTestFinished(() => tokens.close());
    const token = { kind: 'token', realm: tokens.realm, issuer: 'e2e', certificate: authority.ca } as const;
    const registry = await dockerRegistry({ auth: token });
    const user = testUser();
    const image = await withImage(user);
    await user.runOk(['login', '-u', 'ann', '--password-stdin', registry.host], { input: 'correct horse' });
    await user.runOk(['push', '-q', image, `${registry.host}/app:1`]);
    await user.runOk(['copy', `docker://${registry.host}/app:1`, `docker://${registry.host}/team/copy:1`]);
    expect(registry.requests().filter((line) => /^POST .*mount=/.test(line)).length).toBeGreaterThan(0);
    expect(registry.requests().filter((line) => /^(?:PATCH|PUT) .*team\/copy\/blobs/.test(line))).toEqual([]);
    const other = testUser();
    expectError(await other.run(['pull', `${registry.host}/app:1`]), /^REGISTRY_(UNAUTHORIZED|DENIED)$/, registry.host);
    writeDockerConfig(other, { auths: { [registry.host]: { auth } } });
    await other.runOk(['pull', `${registry.host}/team/copy:1`]);
  });
});

describe('tokens', () => {
  it('R8 that expire in the middle of a transfer are renewed', async () => {
    const source = await testRegistry({ auth: { kind: 'token', users } });
    const target = await testRegistry({ auth: { kind: 'token', users } });
    const { digest } = putExampleIndex(source.repository('app'), ['amd64', 'arm64'], {
      tag: '1',
      layers: [3e6, 3e6, 9],
    });
    for (const registry of [source, target]) {
      registry.faults.add({
        on: { kind: ['blob', 'upload'] },
        skip: 3,
        every: 6,
        times: 2,
        action: () => {
          registry.tokens?.expireAll();
          return undefined;
        },
      });
    }
    const user = testUser();
    writeDockerConfig(user, { auths: { [source.host]: { auth }, [target.host]: { auth } } });
    await user.runOk(['copy', `docker://${source.host}/app:1`, `docker://${target.host}/copy:1`]);
    expect(target.repository('copy').tags.get('1')).toBe(digest);
    expect(target.count({ kind: 'token' })).toBeGreaterThan(1);
    expect(target.count({ kind: 'token' })).toBeLessThan(15);
  });

  it('are asked for once for requests that run beside each other', async () => {
    const registry = await testRegistry({ auth: { kind: 'token', users } });
    putExampleIndex(registry.repository('app'), ['amd64', 'arm64'], { tag: '1', layers: [10, 20, 30, 40, 50] });
    const user = testUser();
    writeDockerConfig(user, { auths: { [registry.host]: { auth } } });
    await user.runOk(['pull', '--platform', 'all', `${registry.host}/app:1`]);
    expect(registry.count({ kind: 'token' })).toBe(1);
    expect(registry.requests.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  it('are had with an identity token, by OAuth', async () => {
    const registry = await testRegistry({ auth: { kind: 'token', users } });
    putExampleImage(registry.repository('app'), { tag: '1' });
    const user = testUser();
    const identitytoken = registry.tokens?.makeRefreshToken('ann');
    writeDockerConfig(user, { auths: { [registry.host]: { auth: basicAuth('<token>', ''), identitytoken } } });
    await user.runOk(['pull', `${registry.host}/app:1`]);
    expect(registry.log({ kind: 'token' })).toEqual(['POST /token']);
  });

  it('are had without credentials where the registry gives them', async () => {
    const registry = await testRegistry({ auth: { kind: 'token', users, anonymousPull: true } });
    putExampleImage(registry.repository('app'), { tag: '1' });
    const user = testUser();
    await user.runOk(['pull', `${registry.host}/app:1`]);
    const push = await user.run(['push', `${registry.host}/app:1`, `${registry.host}/copy:1`]);
    expectError(push, /^REGISTRY_(UNAUTHORIZED|DENIED)$/, registry.host, 'copy');
  });
});

describe('credentials', () => {
  it('R1 stay with the registry: neither storage nor uploads elsewhere see them', async () => {
    const registry = await testRegistry({
      auth: { kind: 'token', users },
      redirectBlobs: true,
      locations: 'elsewhere',
    });
    const { digest } = putExampleImage(registry.repository('app'), { tag: '1', layers: [300_000] });
    const user = testUser();
    writeDockerConfig(user, { auths: { [registry.host]: { auth } } });
    await user.runOk(['pull', `${registry.host}/app:1`]);
    await user.runOk(['push', '--compression', 'none', `${registry.host}/app:1`, `${registry.host}/copy:1`]);
    expect(registry.repository('copy').tags.get('1')).toBe(digest);
    const elsewhere = registry.requests.filter(({ origin }) => origin === 'elsewhere');
    expect(elsewhere.map(({ method }) => method)).toEqual(expect.arrayContaining(['GET', 'PUT']));
    expect(elsewhere.filter(({ credential }) => credential !== undefined)).toEqual([]);
  });

  it('come from helpers, which also store them', async () => {
    const registry = await testRegistry({ auth: { kind: 'basic', users } });
    putExampleImage(registry.repository('app'), { tag: '1' });
    const user = testUser();
    const bin = join(user.directory, 'bin');
    mkdirSync(bin);
    const helper = join(bin, 'docker-credential-e2e');
    const kept = join(user.directory, 'kept');
    writeFileSync(
      helper,
      `#!/bin/sh
case $1 in
store) cat >'${kept}' ;;
get) read -r host
  if [ -e '${kept}' ]; then cat '${kept}'; else echo 'credentials not found in native keychain'; exit 1; fi ;;
erase) rm -f '${kept}' ;;
esac
`,
    );
    chmodSync(helper, 0o755);
    const env = { ...user.env, PATH: `${bin}:${user.env['PATH']}` };
    writeDockerConfig(user, { credsStore: 'e2e', HttpHeaders: { 'X-Kept': '1' } });
    expectError(await user.run(['pull', `${registry.host}/app:1`], { env }), /^REGISTRY_UNAUTHORIZED$/, registry.host);
    const login = ['login', '-u', 'ann', '--password-stdin', registry.host];
    await user.runOk(login, { env, input: 'correct horse' });
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({ Username: 'ann', Secret: 'correct horse' });
    expect(dockerConfig(user)).not.toContain(auth);
    expect(JSON.parse(dockerConfig(user))).toMatchObject({ credsStore: 'e2e', HttpHeaders: { 'X-Kept': '1' } });
    await user.runOk(['pull', `${registry.host}/app:1`], { env });
    await user.runOk(['logout', registry.host], { env });
    expect(existsSync(kept)).toBe(false);
  });

  it('of the longest path win in auth.json', async () => {
    const registry = await testRegistry({
      auth: {
        kind: 'token',
        users: { ann: 'correct horse', bob: 'battery' },
        allow: (user, name) => name.startsWith(`${user}/`),
      },
    });
    for (const name of ['ann/app', 'bob/app']) putExampleImage(registry.repository(name), { tag: '1' });
    const user = testUser();
    const file = join(user.directory, 'auth.json');
    const auths = {
      [registry.host]: { auth },
      [`${registry.host}/bob`]: { auth: basicAuth('bob', 'battery') },
    };
    writeFileSync(file, JSON.stringify({ auths }));
    const env = { ...user.env, REGISTRY_AUTH_FILE: file };
    for (const name of ['ann/app', 'bob/app']) await user.runOk(['pull', `${registry.host}/${name}:1`], { env });
    const explained = await user.runOk(['login', '--explain', `${registry.host}/bob/app`], { env });
    expect(explained.stdout.toString()).toContain('bob');
    expect(explained.stdout.toString()).not.toMatch(/battery/);
  });

  it('never appear, whatever goes wrong', async () => {
    const registry = await testRegistry({ auth: { kind: 'token', users: { ann: 'other' } } });
    const user = testUser({ BOXWRIGHT_DEBUG: '1' });
    writeDockerConfig(user, { auths: { [registry.host]: { auth } } });
    const result = await user.run(['pull', `${registry.host}/app:1`]);
    expect(result.code).toBe(1);
    const output = `${result.stdout.toString()}${result.stderr}`;
    for (const secret of ['correct horse', auth, 'opaque-']) expect(output).not.toContain(secret);
  });
});

describe('TLS', () => {
  it('trusts the authority of the configuration, with a client certificate where one is wanted', async () => {
    const authority = new TestAuthority();
    const server = authority.issue({ name: 'server', hosts: ['127.0.0.1'] });
    const registry = await testRegistry({ tls: { ...server, clientCa: authority.ca } });
    putExampleImage(registry.repository('app'), { tag: '1' });
    const user = testUser();
    const client = authority.issue({ name: 'ann' });
    const file = (name: string, text: string): string => {
      writeFileSync(join(user.directory, name), text);
      return join(user.directory, name);
    };
    const settings = {
      ca: file('ca.pem', authority.ca),
      cert: file('client.pem', client.cert),
      key: file('client.key', client.key),
    };
    const configure = (value: object): string =>
      file('registries.json', JSON.stringify({ registries: { [registry.host]: value } }));
    const env = { ...user.env, BOXWRIGHT_REGISTRIES: configure({ ca: settings.ca }) };
    const refused = await user.run(['pull', `${registry.host}/app:1`], { env });
    expectError(refused, /^REGISTRY_(TLS|CONNECTION)$/, registry.host);
    configure(settings);
    await user.runOk(['pull', `${registry.host}/app:1`], { env });
    await user.runOk(['push', `${registry.host}/app:1`, `${registry.host}/copy:1`], { env });
  });

  it('of docker-registry works with its authority only', async (context) => {
    if (missing !== undefined) context.skip(missing);
    const authority = new TestAuthority();
    const { host } = await dockerRegistry({ tls: authority.issue({ name: 'r', hosts: ['127.0.0.1'] }) });
    const user = testUser();
    const image = await withImage(user);
    expectError(await user.run(['push', image, `${host}/app:1`]), /^REGISTRY_TLS$/, host, /^hint: /m);
    const registries = { [host]: { ca: join(user.directory, 'ca.pem') } };
    writeFileSync(join(user.directory, 'ca.pem'), authority.ca);
    writeFileSync(join(user.directory, 'registries.json'), JSON.stringify({ registries }));
    const env = { ...user.env, BOXWRIGHT_REGISTRIES: join(user.directory, 'registries.json') };
    await user.runOk(['push', image, `${host}/app:1`], { env });
    await user.runOk(['push', '--insecure', image, `${host}/app:2`]);
  });
});

describe('mirrors', () => {
  it('are asked first, and left alone when they fail', async () => {
    const registry = await testRegistry();
    const mirror = await testRegistry();
    const { layers } = putExampleImage(registry.repository('app'), { tag: '1', layers: [5000] });
    putExampleImage(mirror.repository('app'), { tag: '1', layers: [5000] });
    const user = testUser();
    const file = join(user.directory, 'registries.json');
    writeFileSync(file, JSON.stringify({ registries: { [registry.host]: { mirrors: [`http://${mirror.host}`] } } }));
    const env = { ...user.env, BOXWRIGHT_REGISTRIES: file };
    await user.runOk(['pull', `${registry.host}/app:1`], { env });
    expect(mirror.log({ kind: 'blob' }).join(' ')).toContain(layers[0]);
    await mirror.close();
    await testUser().runOk(['pull', `${registry.host}/app:1`], { env });
    expect(registry.log({ kind: 'blob' }).join(' ')).toContain(layers[0]);
  });
});
