import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  findProblems,
  putExampleIndex,
  startTokenService,
  TestAuthority,
} from '../packages/oci/src/registry/testing/index.ts';
import { missingDockerRegistry, REGISTRY_USER, TOKEN_SERVICE } from './components/docker-registry.ts';
import { dockerRegistry, testRegistry } from './support/registries.ts';
import { run, runOk } from './support/run.ts';
import { removeTemporaryDirectoriesAfterEach, temporaryDirectory } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

const missing = await missingDockerRegistry();
const basic = `Basic ${Buffer.from(`${REGISTRY_USER.name}:${REGISTRY_USER.password}`).toString('base64')}`;

describe.skipIf(missing !== undefined)('docker-registry, as the tests start it', () => {
  it('answers on a loopback port and logs requests', async () => {
    const registry = await dockerRegistry();
    expect((await fetch(`${registry.url}/v2/`)).status).toBe(200);
    expect(registry.requests()).toEqual(['GET /v2/']);
  });

  it('knows one user', async () => {
    const { url } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
    expect((await fetch(`${url}/v2/`)).headers.get('www-authenticate')).toMatch(/^Basic /);
    expect((await fetch(`${url}/v2/`, { headers: { authorization: basic } })).status).toBe(200);
  });

  it('takes the tokens of our token service', async () => {
    const authority = new TestAuthority();
    const signing = { ...authority.own, issuer: 'e2e' };
    const tokens = await startTokenService({ users: { ann: 'x' }, signing });
    onTestFinished(() => tokens.close());
    const { url } = await dockerRegistry({
      auth: { kind: 'token', realm: tokens.realm, issuer: 'e2e', certificate: authority.ca },
    });
    const refused = await fetch(`${url}/v2/a/manifests/x`);
    expect(refused.headers.get('www-authenticate')).toContain(`realm="${tokens.realm}",service="${TOKEN_SERVICE}"`);
    await fetch(`${tokens.realm}?service=${TOKEN_SERVICE}&scope=repository:a:pull`, {
      headers: { authorization: `Basic ${Buffer.from('ann:x').toString('base64')}` },
    });
    const [token] = tokens.service.given.keys();
    const answer = await fetch(`${url}/v2/a/manifests/x`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(404);
  });

  it('speaks TLS', async () => {
    const authority = new TestAuthority();
    const { url } = await dockerRegistry({ tls: authority.issue({ name: 'r', hosts: ['127.0.0.1'] }) });
    const status = await new Promise((fulfil, reject) => {
      httpsRequest(`${url}/v2/`, { ca: authority.ca, agent: false }, (answer) => {
        answer.resume();
        fulfil(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });
});

const hasSkopeo = (await run('skopeo', ['--version']).catch(() => undefined))?.code === 0;

describe.skipIf(!hasSkopeo)('the registry in this process is one to skopeo, too', () => {
  const skopeo = async (...args: readonly string[]): Promise<string> =>
    (await runOk('skopeo', ['--insecure-policy', ...args])).stdout.toString();

  it.each(['none', 'basic', 'token'] as const)('with authentication: %s', async (kind) => {
    const users = { ann: 'x' };
    const registry = await testRegistry({ auth: kind === 'none' ? { kind } : { kind, users } });
    const { digest } = putExampleIndex(registry.repository('app'), ['amd64', 'arm64'], { tag: '1', layers: [3e6, 10] });
    const layout = join(temporaryDirectory('skopeo'), 'layout');
    const flags = ['--all', '--quiet', '--preserve-digests'];
    const [from, to] = ['src', 'dest'].map((side) => [`--${side}-tls-verify=false`, `--${side}-creds=ann:x`]);
    await skopeo('copy', ...flags, ...(from ?? []), `docker://${registry.host}/app:1`, `oci:${layout}:1`);
    await skopeo('copy', ...flags, ...(to ?? []), `oci:${layout}:1`, `docker://${registry.host}/team/copy:2`);
    expect(registry.repository('team/copy').tags.get('2')).toBe(digest);
    const authorization = `Basic ${Buffer.from('ann:x').toString('base64')}`;
    if (kind !== 'token') expect(await findProblems(registry.url, 'team/copy', '2', { authorization })).toEqual([]);
    const tags = await skopeo('list-tags', '--tls-verify=false', '--creds=ann:x', `docker://${registry.host}/app`);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ['1'] });
  });
});
