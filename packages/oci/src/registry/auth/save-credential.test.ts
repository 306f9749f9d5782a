import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Credential } from './credential.ts';
import { credentialStore } from './credential-store.ts';
import { editAuths } from './edit-auth-file.ts';
import { login, logout } from './login.ts';
import { removeCredential, saveCredential } from './save-credential.ts';
import { Secret } from './secret.ts';
import { installHelper, installScript } from './testing/helper-program.ts';
import { basic, homes } from './testing/home.ts';

const newHome = homes();
const me: Credential = { kind: 'password', username: 'me', password: new Secret('topsecret') };
const example = { registry: 'example.com', path: '' };
const hub = { registry: 'docker.io', path: '' };
const read = (path: string): string => readFileSync(path, 'utf8');

describe('saveCredential', () => {
  it('makes the file as Docker writes it, for its owner only', async () => {
    const home = newHome();
    const path = join(home.home, '.docker/config.json');
    expect(await saveCredential(home, example, me)).toEqual({ place: path, isPlain: true });
    expect(read(path)).toBe(
      `{\n\t"auths": {\n\t\t"example.com": {\n\t\t\t"auth": "${basic('me', 'topsecret').auth}"\n\t\t}\n\t}\n}`,
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(path))).toEqual(['config.json']);
  });

  it('keeps what is not ours: members, their order, numbers as written, indentation', async () => {
    const home = newHome();
    const before = `{
  "HttpHeaders": {
    "X-Meta": "a\\u0026b"
  },
  "big": 12345678901234567890,
  "half": 1.50,
  "auths": {
    "z.example": {
      "auth": "${basic('z', 'z').auth}",
      "email": "z@example.com"
    },
    "example.com": {}
  },
  "detachKeys": "ctrl-e,e"
}
`;
    const path = home.write('.docker/config.json', before);
    await saveCredential(home, example, me);
    const entry = `{\n      "auth": "${basic('me', 'topsecret').auth}"\n    }`;
    expect(read(path)).toBe(before.replace('"example.com": {}', `"example.com": ${entry}`));
    await removeCredential(home, example);
    expect(read(path)).toBe(before.replace(',\n    "example.com": {}', ''));
  });

  it('keeps a file of one line on one line', async () => {
    const home = newHome();
    const path = home.write('.docker/config.json', '{"detachKeys":"x"}\n');
    await saveCredential(home, example, me);
    expect(read(path)).toBe(`{"detachKeys":"x","auths":{"example.com":{"auth":"${basic('me', 'topsecret').auth}"}}}\n`);
  });

  it('follows a link, which stays one, also when it dangles', async () => {
    const home = newHome();
    mkdirSync(join(home.home, '.docker'));
    mkdirSync(join(home.home, 'dotfiles'));
    const link = join(home.home, '.docker/config.json');
    symlinkSync('../dotfiles/docker.json', link);
    for (const user of ['first', 'second']) {
      await saveCredential(home, example, { ...me, username: user });
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      expect(read(join(home.home, 'dotfiles/docker.json'))).toContain(basic(user, 'topsecret').auth);
    }
  });

  it('writes Docker Hub under its old key', async () => {
    const home = newHome();
    await saveCredential(home, hub, me);
    const auths: unknown = JSON.parse(read(join(home.home, '.docker/config.json')));
    expect(auths).toEqual({ auths: { 'https://index.docker.io/v1/': basic('me', 'topsecret') } });
  });

  it('writes credentials of namespaces to auth.json: Docker would take them for the whole registry', async () => {
    const home = newHome();
    await saveCredential(home, { registry: 'example.com', path: 'team' }, me);
    await saveCredential(home, { registry: 'docker.io', path: 'team/app' }, me);
    expect(existsSync(join(home.home, '.docker/config.json'))).toBe(false);
    const file: unknown = JSON.parse(read(join(home.home, '.config/containers/auth.json')));
    const entry = basic('me', 'topsecret');
    expect(file).toEqual({ auths: { 'example.com/team': entry, 'docker.io/team/app': entry } });
  });

  it('writes to REGISTRY_AUTH_FILE when there is one', async () => {
    const home = newHome();
    const path = join(home.home, 'ci/auth.json');
    home.env['REGISTRY_AUTH_FILE'] = path;
    expect(await saveCredential(home, hub, me)).toEqual({ place: path, isPlain: true });
    expect(JSON.parse(read(path))).toEqual({ auths: { 'docker.io': basic('me', 'topsecret') } });
  });

  it('gives the secret to the helper and leaves none in the file', async () => {
    const home = newHome();
    const helper = installHelper(home.home, 'keep');
    home.env['PATH'] = `${helper.directory}:/usr/bin:/bin`;
    const path = home.write('.docker/config.json', {
      auths: { 'https://index.docker.io/v1/': basic('old', 'oldsecret') },
      credsStore: 'keep',
    });
    const saved = await saveCredential(home, hub, me);
    expect(saved).toEqual({ place: `docker-credential-keep (credsStore of ${path})`, isPlain: false });
    expect(helper.stored('https://index.docker.io/v1/')).toMatchObject({ Username: 'me', Secret: 'topsecret' });
    expect(JSON.parse(read(path))).toEqual({ auths: { 'https://index.docker.io/v1/': {} }, credsStore: 'keep' });
    const found = await credentialStore(home).lookup({ registry: 'docker.io', path: 'library/alpine' });
    expect(found).toMatchObject({ credential: { username: 'me' }, origin: saved.place });
  });

  it('gives identity tokens to the helper as the user <token>', async () => {
    const home = newHome();
    const helper = installHelper(home.home, 'keep');
    home.env['PATH'] = `${helper.directory}:/usr/bin:/bin`;
    home.write('.docker/config.json', { credHelpers: { 'example.com': 'keep' } });
    await saveCredential(home, example, { kind: 'identity-token', identityToken: new Secret('id-9') });
    expect(helper.stored('example.com')).toMatchObject({ Username: '<token>', Secret: 'id-9' });
  });

  it.each([
    ['fails and repeats what it got', 'cat >&2; echo no "$(cat)" topsecret; exit 1'],
    ['fails and repeats it in base64', `echo ${Buffer.from('topsecret').toString('base64')}; exit 1`],
    ['is not there', undefined],
  ])('leaves the file alone when the helper %s, and tells no secret', async (_, script) => {
    const home = newHome();
    if (script !== undefined) installScript(join(home.home, 'bin'), 'bad', `#!/bin/sh\n${script}\n`);
    home.env['PATH'] = `${join(home.home, 'bin')}:/usr/bin:/bin`;
    const path = home.write('.docker/config.json', { credsStore: 'bad' });
    const error: unknown = await saveCredential(home, example, me).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CREDENTIAL_HELPER_FAILED' });
    expect(`${JSON.stringify(error)}${String(error)}`).not.toMatch(/topsecret|dG9wc2VjcmV0/);
    expect(read(path)).toBe('{"credsStore":"bad"}');
  });

  it('refuses to write where no regular file is', async () => {
    const home = newHome();
    home.env['REGISTRY_AUTH_FILE'] = '/dev/null';
    await expect(saveCredential(home, example, me)).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: expect.stringContaining('not a regular file'),
    });
  });
});

describe('editAuths', () => {
  it('starts again when another program was faster', () => {
    const home = newHome();
    const path = home.write('config.json', '{"auths":{}}');
    let edits = 0;
    editAuths(path, (auths) => {
      if (++edits === 1) home.write('config.json', '{"auths":{"other.example":{}},"more":true}');
      auths.set('example.com', new Map());
      return true;
    });
    expect(edits).toBe(2);
    expect(read(path)).toBe('{"auths":{"other.example":{},"example.com":{}},"more":true}');
    expect(readdirSync(home.home)).toEqual(['config.json']);
  });

  it('leaves a broken file as it is', () => {
    const home = newHome();
    const path = home.write('config.json', '{"auths":');
    expect(() => editAuths(path, () => true)).toThrow(expect.objectContaining({ code: 'CREDENTIALS_INVALID' }));
    expect(read(path)).toBe('{"auths":');
  });
});

describe('login and logout', () => {
  const accepted = async (): Promise<void> => {};

  it('store nothing when the registry refuses', async () => {
    const home = newHome();
    const check = () => Promise.reject(new Error('refused'));
    await expect(login({ ...home, scope: example, credential: me, check })).rejects.toThrow('refused');
    expect(readdirSync(home.home)).toEqual([]);
  });

  it('say whether the registry has looked at the credentials', async () => {
    const home = newHome();
    expect(await login({ ...home, scope: example, credential: me, check: accepted })).toMatchObject({
      isChecked: false,
    });
    const check = async (store: ReturnType<typeof credentialStore>): Promise<void> => {
      expect((await store.lookup(example))?.credential).toBe(me);
    };
    expect(await login({ ...home, scope: example, credential: me, check })).toMatchObject({
      isChecked: true,
      shadowedBy: undefined,
    });
  });

  it('say when something else comes first', async () => {
    const home = newHome();
    home.env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { 'example.com': basic('env', 'x') } });
    const shadow = 'auths["example.com"] of the variable DOCKER_AUTH_CONFIG';
    const result = await login({ ...home, scope: example, credential: me, check: accepted });
    expect(result.shadowedBy).toBe(shadow);
    const path = join(home.home, '.docker/config.json');
    expect(await logout({ ...home, scope: example })).toEqual({ removedFrom: [path], remaining: shadow });
  });

  it('remove every spelling of a registry from every file and helper', async () => {
    const home = newHome();
    const helper = installHelper(home.home, 'keep', { 'https://index.docker.io/v1/': ['me', 'x'] });
    home.env['PATH'] = `${helper.directory}:/usr/bin:/bin`;
    const docker = home.write('.docker/config.json', {
      auths: { 'https://index.docker.io/v1/': {}, 'index.docker.io': basic('a', 'b'), 'example.com': basic('c', 'd') },
      credsStore: 'keep',
    });
    const podman = home.write('.config/containers/auth.json', {
      auths: { 'docker.io': basic('e', 'f'), 'docker.io/team': basic('g', 'h') },
    });
    expect(await logout({ ...home, scope: hub })).toEqual({
      removedFrom: [`docker-credential-keep (credsStore of ${docker})`, docker, podman],
      remaining: undefined,
    });
    expect(helper.stored('https://index.docker.io/v1/')).toBeUndefined();
    expect(JSON.parse(read(docker))).toEqual({ auths: { 'example.com': basic('c', 'd') }, credsStore: 'keep' });
    expect(JSON.parse(read(podman))).toEqual({ auths: { 'docker.io/team': basic('g', 'h') } });
    expect(await logout({ ...home, scope: hub })).toEqual({ removedFrom: [], remaining: undefined });
  });

  it('do not miss a general helper that is not installed', async () => {
    const home = newHome();
    const path = home.write('.docker/config.json', {
      auths: { 'example.com': basic('a', 'b') },
      credsStore: 'desktop',
    });
    expect(await logout({ ...home, scope: example })).toEqual({ removedFrom: [path], remaining: undefined });
  });
});
