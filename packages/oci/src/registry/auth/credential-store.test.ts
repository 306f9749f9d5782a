import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../repository-name.ts';
import type { FoundCredential } from './credential.ts';
import { credentialStore } from './credential-store.ts';
import { installHelper, installScript } from './testing/helper-program.ts';
import { basic, type Home, homes } from './testing/home.ts';

const newHome = homes();

const repository = (name: string): RepositoryName => {
  const slash = name.indexOf('/');
  return slash < 0 ? { registry: name, path: '' } : { registry: name.slice(0, slash), path: name.slice(slash + 1) };
};

/** `user:password`, or the token. */
function shown(found: FoundCredential | undefined): string | undefined {
  const credential = found?.credential;
  if (credential === undefined) return undefined;
  if (credential.kind === 'password') return `${credential.username}:${credential.password.reveal()}`;
  return credential.kind === 'identity-token'
    ? `identity ${credential.identityToken.reveal()}`
    : `registry ${credential.registryToken.reveal()}`;
}

const lookup = async (home: Home, name: string) => shown(await credentialStore(home).lookup(repository(name)));

describe('entries of files', () => {
  it('are read from the config.json that DOCKER_CONFIG names, else from ~/.docker', async () => {
    const home = newHome();
    home.write('.docker/config.json', { auths: { 'example.com': basic('home', 'p1') } });
    home.write('elsewhere/config.json', { auths: { 'example.com': basic('elsewhere', 'p2') } });
    expect(await lookup(home, 'example.com/app')).toBe('home:p1');
    home.env['DOCKER_CONFIG'] = join(home.home, 'elsewhere');
    expect(await lookup(home, 'example.com/app')).toBe('elsewhere:p2');
  });

  it('of every form that Docker and podman write are understood', async () => {
    const home = newHome();
    home.write('.docker/config.json', {
      auths: {
        'a.example': basic('user', 'pass:with:colons'),
        'b.example': { ...basic('ignored', 'x'), identitytoken: 'id-1' },
        'c.example': { registrytoken: 'reg-1' },
        'd.example': { username: 'plain', password: 'fields' },
        'e.example': {},
        'https://f.example/v1/': basic('old', 'url'),
        'g.example/v2/': basic('old', 'suffix'),
        'H.example:5000': basic('upper', 'case'),
      },
    });
    for (const [name, expected] of [
      ['a.example/x', 'user:pass:with:colons'],
      ['b.example/x', 'identity id-1'],
      ['c.example/x', 'registry reg-1'],
      ['d.example/x', 'plain:fields'],
      ['e.example/x', undefined],
      ['f.example/x', 'old:url'],
      ['g.example/x', 'old:suffix'],
      ['h.example:5000/x', 'upper:case'],
      ['h.example/x', undefined],
      ['other.example/x', undefined],
      ['__proto__/x', undefined],
    ] as const) {
      expect(await lookup(home, name)).toBe(expected);
    }
  });

  it.each(['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io'])(
    'for Docker Hub may be called %s',
    async (key) => {
      const home = newHome();
      home.write('.docker/config.json', { auths: { [key]: basic('hub', 'secret') } });
      expect(await lookup(home, 'docker.io/library/alpine')).toBe('hub:secret');
    },
  );

  it('for Docker Hub are taken under the name that Docker writes first', async () => {
    const home = newHome();
    home.write('.docker/config.json', {
      auths: { 'docker.io': basic('other', 'x'), 'https://index.docker.io/v1/': basic('hub', 'y') },
    });
    expect(await lookup(home, 'docker.io/library/alpine')).toBe('hub:y');
  });

  it('with the longest path win, whole components at a time, in whatever file', async () => {
    const home = newHome();
    home.write('.docker/config.json', { auths: { 'example.com': basic('host', '1') } });
    home.write('.config/containers/auth.json', {
      auths: {
        'example.com': basic('podman', '2'),
        'example.com/team': basic('team', '3'),
        'example.com/team/app': basic('app', '4'),
      },
    });
    expect(await lookup(home, 'example.com/team/app')).toBe('app:4');
    expect(await lookup(home, 'example.com/team/app/deeper')).toBe('app:4');
    expect(await lookup(home, 'example.com/team/application')).toBe('team:3');
    expect(await lookup(home, 'example.com/teams')).toBe('host:1');
    expect(await lookup(home, 'example.com')).toBe('host:1');
  });

  it('of XDG_RUNTIME_DIR come before those of XDG_CONFIG_HOME', async () => {
    const home = newHome();
    home.write('config/containers/auth.json', { auths: { 'example.com': basic('config', '1') } });
    home.env['XDG_CONFIG_HOME'] = join(home.home, 'config');
    expect(await lookup(home, 'example.com')).toBe('config:1');
    home.write('run/containers/auth.json', { auths: { 'example.com': basic('run', '2') } });
    home.env['XDG_RUNTIME_DIR'] = join(home.home, 'run');
    expect(await lookup(home, 'example.com')).toBe('run:2');
  });

  it('of REGISTRY_AUTH_FILE are the only ones', async () => {
    const home = newHome();
    home.write('.docker/config.json', { auths: { 'a.example': basic('docker', '1') } });
    home.env['REGISTRY_AUTH_FILE'] = home.write('own.json', { auths: { 'b.example': basic('own', '2') } });
    home.env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { 'b.example': basic('env', '3') } });
    expect(await lookup(home, 'b.example/x')).toBe('own:2');
    expect(await lookup(home, 'a.example/x')).toBeUndefined();
  });

  it('of DOCKER_AUTH_CONFIG come before the files', async () => {
    const home = newHome();
    home.write('.docker/config.json', { auths: { 'a.example': basic('file', '1'), 'b.example': basic('file', '2') } });
    home.env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { 'a.example': basic('env', '3') } });
    const store = credentialStore(home);
    expect(await store.lookup(repository('a.example'))).toMatchObject({
      origin: 'auths["a.example"] of the variable DOCKER_AUTH_CONFIG',
    });
    expect(shown(await store.lookup(repository('b.example')))).toBe('file:2');
  });

  it.each<[string, unknown, RegExp]>([
    [
      'JSON that is none',
      '{"auths": {"example.com": {"auth": "c2VjcmV0',
      /config\.json cannot be used: it is not JSON/,
    ],
    ['an array', [], /not a JSON object/],
    ['auths that are no object', { auths: 'topsecret' }, /auths is not an object/],
    [
      'an entry that is no object',
      { auths: { 'example.com': 'topsecret' } },
      /auths\["example\.com"\] is not an object/,
    ],
    ['auth that is no text', { auths: { 'example.com': { auth: 7 } } }, /\.auth is not a string/],
    ['auth that is not base64', { auths: { 'example.com': { auth: 'topsecret!' } } }, /not the base64 form/],
    ['auth without colon', { auths: { 'example.com': { auth: 'dG9wc2VjcmV0' } } }, /not the base64 form/],
    ['credsStore that is no text', { credsStore: {} }, /credsStore is not a string/],
    ['a helper name that is no text', { credHelpers: { 'example.com': 1 } }, /credHelpers\["example\.com"\]/],
  ])('that cannot be read are named, not shown: %s', async (_, content, message) => {
    const home = newHome();
    home.write('.docker/config.json', content);
    const error: unknown = await credentialStore(home)
      .lookup(repository('example.com/x'))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', message: expect.stringMatching(message) });
    expect(`${JSON.stringify(error)}${String(error)}`).not.toMatch(/topsecret|dG9wc2VjcmV0|c2VjcmV0/);
  });

  it('of other registries may be wrong', async () => {
    const home = newHome();
    home.write('.docker/config.json', { auths: { 'bad.example': { auth: '?' }, 'example.com': basic('me', 'x') } });
    expect(await lookup(home, 'example.com')).toBe('me:x');
  });

  // root reads everybody's files
  it.runIf(process.getuid?.() !== 0)('that belong to somebody else are passed over, and that is said', async () => {
    const home = newHome();
    const path = home.write('.docker/config.json', { auths: { 'example.com': basic('me', 'x') } });
    chmodSync(path, 0);
    const { found, files } = await credentialStore(home).explain(repository('example.com'));
    expect(found).toBeUndefined();
    expect(files).toContainEqual({ name: path, state: 'unreadable' });
  });

  it('may be larger than any real file only up to a limit', async () => {
    const home = newHome();
    home.write('.docker/config.json', `{"x":"${'x'.repeat(5_000_000)}"}`);
    await expect(lookup(home, 'example.com')).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' });
  });
});

describe('credential helpers', () => {
  const withPath = (home: Home, ...directories: string[]): void => {
    home.env['PATH'] = [...directories, '/usr/bin', '/bin'].join(':');
  };

  it('are asked for the registry; credHelpers before credsStore before what stands in the file', async () => {
    const home = newHome();
    const named = installHelper(home.home, 'named', { 'a.example': ['named', 's1'] });
    const general = installHelper(home.home, 'general', {
      'a.example': ['general', 's2'],
      'b.example': ['general', 's3'],
      'https://index.docker.io/v1/': ['general', 's4'],
    });
    withPath(home, named.directory, general.directory);
    home.write('.docker/config.json', {
      auths: { 'a.example': basic('file', '1'), 'b.example': basic('file', '2'), 'c.example': basic('file', '3') },
      credsStore: 'general',
      credHelpers: { 'a.example': 'named', 'off.example': '' },
    });
    expect(await lookup(home, 'a.example/x')).toBe('named:s1');
    expect(await lookup(home, 'b.example/x')).toBe('general:s3');
    expect(await lookup(home, 'c.example/x')).toBe('file:3');
    expect(await lookup(home, 'docker.io/library/x')).toBe('general:s4');
    expect(await lookup(home, 'off.example/x')).toBeUndefined();
    expect(named.calls()).toEqual(['get a.example']);
    expect(general.calls()).toEqual(['get b.example', 'get c.example', 'get https://index.docker.io/v1/']);
  });

  it('are asked once per run', async () => {
    const home = newHome();
    const helper = installHelper(home.home, 'once', { 'a.example': ['u', 's'] });
    withPath(home, helper.directory);
    home.write('.docker/config.json', { credsStore: 'once' });
    const store = credentialStore(home);
    await Promise.all(['a.example/x', 'a.example/y'].map((name) => store.lookup(repository(name))));
    await store.lookup(repository('a.example/z'));
    expect(helper.calls()).toEqual(['get a.example']);
  });

  it('give identity tokens with the user <token>', async () => {
    const home = newHome();
    const helper = installHelper(home.home, 'acr', { 'a.example': ['<token>', 'id-2'] });
    withPath(home, helper.directory);
    home.write('.docker/config.json', { credHelpers: { 'a.example': 'acr' } });
    expect(await lookup(home, 'a.example/x')).toBe('identity id-2');
  });

  it('see a small environment', async () => {
    const home = newHome();
    const helper = installHelper(home.home, 'env', {});
    withPath(home, helper.directory);
    Object.assign(home.env, { AWS_PROFILE: 'p', XDG_DATA_HOME: '/x', SECRET_OF_OTHERS: 's', DOCKER_AUTH_CONFIG: '{}' });
    home.write('.docker/config.json', { credsStore: 'env' });
    await lookup(home, 'a.example');
    expect(helper.environment()).toEqual(expect.arrayContaining(['HOME', 'PATH', 'AWS_PROFILE', 'XDG_DATA_HOME']));
    expect(helper.environment()).not.toContain('SECRET_OF_OTHERS');
    expect(helper.environment()).not.toContain('DOCKER_AUTH_CONFIG');
  });

  it('that are not there: the general one is passed over, the one named for the registry is missed', async () => {
    const home = newHome();
    home.write('.docker/config.json', {
      auths: { 'a.example': basic('file', '1') },
      credsStore: 'desktop',
      credHelpers: { 'b.example': 'absent' },
    });
    expect(await lookup(home, 'a.example')).toBe('file:1');
    await expect(lookup(home, 'b.example')).rejects.toMatchObject({
      code: 'CREDENTIAL_HELPER_FAILED',
      message: expect.stringContaining('docker-credential-absent is not installed'),
    });
  });

  it.each<[string, string, RegExp]>([
    [
      'fails',
      'echo "gpg: decryption failed"; exit 2',
      /get for a\.example ended with exit code 2: gpg: decryption failed$/,
    ],
    ['fails and shows a secret', 'echo \'{"Secret":"topsecret"}\'; exit 1', /exit code 1$/],
    ['prints no JSON', 'echo topsecret', /not JSON/],
    ['prints too little', 'echo \'{"Username":"u","Password":"topsecret"}\'', /no Username and Secret/],
    ['prints without end', 'exec yes topsecret', /more than 1 MiB/],
    ['does not end', 'sleep 20', /not ended within 0\.3 s/],
    ['does not end, and its child neither', 'sleep 20 & sleep 20', /not ended within 0\.3 s/],
    ['is killed', 'kill -9 $$', /ended with SIGKILL/],
  ])('that go wrong are reported without secrets: %s', async (_, script, message) => {
    const home = newHome();
    installScript(join(home.home, 'bin'), 'bad', `#!/bin/sh\n${script}\n`);
    withPath(home, join(home.home, 'bin'));
    home.write('.docker/config.json', { credsStore: 'bad' });
    const store = credentialStore({ ...home, helperTimeoutMs: message.source.includes('within') ? 300 : 10_000 });
    const started = performance.now();
    const error: unknown = await store.lookup(repository('a.example')).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CREDENTIAL_HELPER_FAILED', message: expect.stringMatching(message) });
    expect(`${JSON.stringify(error)}${String(error)}`).not.toContain('topsecret');
    expect(performance.now() - started).toBeLessThan(8000);
  });

  it.each(['../evil', 'a/b', '-x', '', 'a b'])('cannot be called %j', async (name) => {
    const home = newHome();
    home.write('.docker/config.json', { credHelpers: { 'a.example': name } });
    if (name === '') expect(await lookup(home, 'a.example')).toBeUndefined();
    else await expect(lookup(home, 'a.example')).rejects.toMatchObject({ code: 'CREDENTIAL_HELPER_FAILED' });
  });

  it('end with the signal of who asks', async () => {
    const home = newHome();
    installScript(join(home.home, 'bin'), 'slow', '#!/bin/sh\nsleep 20\n');
    withPath(home, join(home.home, 'bin'));
    home.write('.docker/config.json', { credsStore: 'slow' });
    const signal = AbortSignal.timeout(100);
    await expect(credentialStore(home).lookup(repository('a.example'), signal)).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

describe('explain', () => {
  it('names every place in order, and the secret nowhere', async () => {
    const home = newHome();
    const helper = installHelper(home.home, 'store');
    home.env['PATH'] = `${helper.directory}:/usr/bin:/bin`;
    const docker = home.write('.docker/config.json', { auths: { 'a.example': {} }, credsStore: 'store' });
    const podman = home.write('.config/containers/auth.json', { auths: { 'a.example': basic('me', 'topsecret') } });
    const explanation = await credentialStore(home).explain(repository('a.example/x'));
    expect(explanation.looked).toEqual([
      { place: `docker-credential-store (credsStore of ${docker})`, result: 'nothing' },
      { place: `auths["a.example"] of ${docker}`, result: 'nothing' },
      { place: `auths["a.example"] of ${podman}`, result: 'used' },
    ]);
    expect(explanation.files.map(({ state }) => state)).toEqual(['read', 'read']);
    expect(JSON.stringify(explanation)).not.toContain('topsecret');
  });
});
