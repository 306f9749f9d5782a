import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedCredential, Secret } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { configWithCredentials } from './docker-config.ts';

const temporary = temporaryDirectories();
const ann = fixedCredential({ kind: 'password', username: 'ann', password: new Secret('pw') }, 'test');

describe('configWithCredentials', () => {
  it('adds to a copy and leaves the own config as it is', async () => {
    const home = temporary();
    const own = join(home, '.docker');
    mkdirSync(join(own, 'contexts'), { recursive: true });
    const before = '{"auths":{"other":{"auth":"eA=="}},"credsStore":"desktop","currentContext":"c"}';
    writeFileSync(join(own, 'config.json'), before);
    const copy = await configWithCredentials({ env: {}, home }, ann, ['r.example', 'docker.io'], temporary());
    const file = join(copy ?? '', 'config.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      auths: {
        other: { auth: 'eA==' },
        'r.example': { auth: Buffer.from('ann:pw').toString('base64') },
        'https://index.docker.io/v1/': { auth: Buffer.from('ann:pw').toString('base64') },
      },
      credsStore: 'desktop',
      credHelpers: { 'r.example': '', 'https://index.docker.io/v1/': '' },
      currentContext: 'c',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(join(copy ?? '', 'contexts'))).toBe(true);
    expect(readFileSync(join(own, 'config.json'), 'utf8')).toBe(before);
  });

  it('makes none where there is nothing to add', async () => {
    const place = { env: { DOCKER_CONFIG: join(temporary(), 'none') }, home: '/' };
    expect(await configWithCredentials(place, fixedCredential(undefined, 'test'), ['a'], temporary())).toBeUndefined();
    const copy = await configWithCredentials(place, ann, ['a'], temporary());
    expect(JSON.parse(readFileSync(join(copy ?? '', 'config.json'), 'utf8'))).toHaveProperty('auths');
  });
});
