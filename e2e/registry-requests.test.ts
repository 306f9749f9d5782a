import { describe, expect, it } from 'vitest';
import { putExampleImage, putExampleIndex } from '../packages/oci/src/registry/testing/index.ts';
import { testRegistry } from './support/registries.ts';
import { basicAuth, testUser, writeDockerConfig } from './support/user.ts';

const auth = { kind: 'token', users: { ann: 'secret' } } as const;
const writing = { method: ['POST', 'PUT', 'PATCH', 'DELETE'] };

describe('requests are counted: inspect', () => {
  it('of a remote single-platform image asks for manifest and config', async () => {
    const registry = await testRegistry();
    const { digest } = putExampleImage(registry.repository('app'), { tag: '1', layers: [1000, 2000] });
    const { stdout } = await testUser().runOk(['inspect', `docker://${registry.host}/app:1`]);
    expect(stdout.toString()).toContain(digest);
    expect(registry.log()).toHaveLength(2);
    expect(registry.log().every((line) => line.startsWith('GET '))).toBe(true);
  });

  it('needs no more with tokens, once there is one', async () => {
    const registry = await testRegistry({ auth });
    putExampleImage(registry.repository('app'), { tag: '1' });
    const user = testUser();
    writeDockerConfig(user, { auths: { [registry.host]: { auth: basicAuth('ann', 'secret') } } });
    await user.runOk(['inspect', `docker://${registry.host}/app:1`]);
    expect(registry.count({ kind: 'token' })).toBe(1);
    expect(registry.requests.filter(({ status, kind }) => status === 200 && kind !== 'token')).toHaveLength(2);
    expect(registry.requests.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  it('of one platform of an index asks for three documents', async () => {
    const registry = await testRegistry();
    putExampleIndex(registry.repository('app'), ['amd64', 'arm64'], { tag: '1' });
    await testUser().runOk(['inspect', '--platform', 'linux/arm64', `docker://${registry.host}/app:1`]);
    expect(registry.requests.length).toBeLessThanOrEqual(3);
  });

  it('and history do not touch layers', async () => {
    const registry = await testRegistry();
    const { layers } = putExampleImage(registry.repository('app'), { tag: '1', layers: [1000] });
    const { stdout } = await testUser().runOk(['history', `docker://${registry.host}/app:1`]);
    expect(stdout.toString()).toContain('layer 0');
    expect(registry.requests.length).toBeLessThanOrEqual(3);
    expect(registry.log().filter((line) => line.includes(layers[0] ?? 'none'))).toEqual([]);
  });
});

describe('requests are counted: copying what is there', () => {
  it('costs two when the tags agree', async () => {
    const registry = await testRegistry();
    putExampleIndex(registry.repository('app'), ['amd64', 'arm64', 's390x'], { tag: '1', layers: [100, 200] });
    const args = ['copy', `docker://${registry.host}/app:1`, `docker://${registry.host}/copy:1`];
    const user = testUser();
    await user.runOk(args);
    registry.clearLog();
    await user.runOk(args);
    expect(registry.requests.length).toBeLessThanOrEqual(2);
    expect(registry.count(writing)).toBe(0);
  });

  it('costs at most three for each image manifest when only the tag is new', async () => {
    const from = await testRegistry();
    const to = await testRegistry();
    const layers = [100, 200, 300, 400];
    putExampleIndex(from.repository('app'), ['amd64', 'arm64', 's390x'], { tag: '1', layers });
    putExampleIndex(to.repository('app'), ['amd64', 'arm64', 's390x'], { tag: 'old', layers });
    await testUser().runOk(['copy', `docker://${from.host}/app:1`, `docker://${to.host}/app:1`]);
    // Three images and the index.
    expect(from.requests.length + to.requests.length).toBeLessThanOrEqual(4 * 3);
    expect(to.log(writing)).toEqual(['PUT /v2/app/manifests/1']);
  });

  it('costs at most three for a single image and two for its new tag', async () => {
    const from = await testRegistry();
    const to = await testRegistry();
    putExampleImage(from.repository('app'), { tag: '1', layers: [100, 200, 300] });
    putExampleImage(to.repository('app'), { tag: 'old', layers: [100, 200, 300] });
    await testUser().runOk(['copy', `docker://${from.host}/app:1`, `docker://${to.host}/app:1`]);
    // The tag is looked for and put; for the image: HEAD here and there, GET here.
    expect(from.requests.length + to.requests.length).toBeLessThanOrEqual(3 + 2);
  });

  it('by push and pull costs no content', async () => {
    const registry = await testRegistry();
    putExampleImage(registry.repository('app'), { tag: '1', layers: [100_000] });
    const user = testUser();
    await user.runOk(['pull', `${registry.host}/app:1`]);
    registry.clearLog();
    await user.runOk(['pull', `${registry.host}/app:1`]);
    expect(registry.requests.length).toBeLessThanOrEqual(2);
    registry.clearLog();
    await user.runOk(['push', '--compression', 'none', `${registry.host}/app:1`]);
    expect(registry.requests.length).toBeLessThanOrEqual(3);
    expect(registry.count({ method: ['POST', 'PATCH'] })).toBe(0);
  });
});

describe('requests are counted: moving within a registry', () => {
  it('mounts every blob', async () => {
    const registry = await testRegistry();
    const { images } = putExampleIndex(registry.repository('team/app'), ['amd64', 'arm64'], {
      tag: '1',
      layers: [100_000, 200_000],
    });
    await testUser().runOk(['copy', `docker://${registry.host}/team/app:1`, `docker://${registry.host}/copy:1`]);
    const posts = registry.log({ kind: 'upload' });
    expect(posts).toHaveLength(images.length * 3);
    for (const line of posts) expect(line).toMatch(/^POST .*mount=sha256.*from=team(%2F|\/)app/);
    expect(registry.count({ kind: 'blob', method: 'GET' })).toBe(0);
  });

  it('R11 uploads where the registry does not mount', async () => {
    const registry = await testRegistry({ mount: false });
    const { digest } = putExampleImage(registry.repository('app'), { tag: '1', layers: [100_000] });
    await testUser().runOk(['copy', `docker://${registry.host}/app:1`, `docker://${registry.host}/copy:1`]);
    expect(registry.repository('copy').tags.get('1')).toBe(digest);
    // The session that a refused mount opened is used or cancelled.
    expect([...registry.repository('copy').uploads]).toEqual([]);
  });
});

describe('requests are counted: --dry-run', () => {
  it.each(['push', 'copy'])('of %s writes nothing, and says what would be sent', async (command) => {
    const registry = await testRegistry();
    putExampleImage(registry.repository('app'), { tag: '1', layers: [100_000] });
    const user = testUser();
    await user.runOk(['pull', `${registry.host}/app:1`]);
    const to = await testRegistry();
    const target = `${to.host}/copy:1`;
    const args =
      command === 'push'
        ? ['--compression', 'none', `${registry.host}/app:1`, target]
        : [`docker://${registry.host}/app:1`, `docker://${target}`];
    const { stdout } = await user.runOk([command, '--dry-run', ...args]);
    expect(to.count(writing)).toBe(0);
    expect(stdout.toString()).toMatch(/upload/);
    const json = await user.runOk([command, '--dry-run', '--format', 'json', ...args]);
    expect(JSON.stringify(JSON.parse(json.stdout.toString()))).toContain('10'); // sizes are bytes
  });
});

describe('a warning of the registry', () => {
  it('is shown once, harmless', async () => {
    const text = 'this registry closes on Friday \\u001b[2J';
    const registry = await testRegistry({ warnings: [`299 - "${text}"`] });
    putExampleImage(registry.repository('app'), { tag: '1', layers: [10, 20] });
    const { stderr } = await testUser().runOk(['pull', `${registry.host}/app:1`]);
    expect(registry.requests.length).toBeGreaterThan(3);
    expect(stderr.split('closes on Friday')).toHaveLength(2);
    expect(stderr).not.toContain('\u001b[2J');
  });
});
