import { describe, expect, it } from 'vitest';
import { findProblems, putExampleImage } from '../packages/oci/src/registry/testing/index.ts';
import { missingDockerRegistry } from './components/docker-registry.ts';
import { expectError } from './support/expect-error.ts';
import { dockerRegistry, testRegistry } from './support/registries.ts';
import { baseArchive, missingBases, missingRun, writeFiles } from './support/scene.ts';
import { testUser } from './support/user.ts';

const missing = (await missingDockerRegistry()) ?? missingBases();

describe.skipIf(missing !== undefined)('build with a registry', () => {
  it('takes FROM from it, and pushes only what is new', async () => {
    const registry = await dockerRegistry();
    const owner = testUser();
    await owner.runOk(['load', '--quiet', '--input', baseArchive('busybox')]);
    await owner.runOk(['push', '--quiet', 'e2e/busybox:1', `${registry.host}/base/busybox:1`]);
    const user = testUser();
    const context = `${user.directory}/context`;
    writeFiles(context, { Dockerfile: `FROM ${registry.host}/base/busybox:1\nCOPY hello /hello\n`, hello: 'hello\n' });
    const before = registry.requests().length;
    await user.runOk(['build', '--quiet', '--push', '--tag', `${registry.host}/team/app:1`, context]);
    expect(await findProblems(registry.url, 'team/app', '1')).toEqual([]);
    const requests = registry.requests().slice(before);
    expect(requests.filter((line) => /^POST .*\?.*mount=.*from=base(?:%2F|\/)busybox/.test(line))).toHaveLength(1);
    const history = await user.runOk(['history', `docker://${registry.host}/team/app:1`]);
    expect(history.stdout.toString()).toContain('COPY hello /hello');
    const files = await user.runOk(['build', '--quiet', '--push', '--tag', `${registry.host}/team/app:2`, context]);
    expect(files.code).toBe(0);
    expect(registry.requests().filter((line) => /^(?:PATCH|PUT) .*\/blobs\/uploads\//.test(line)).length).toBeLessThan(
      8,
    );
  });
});

describe.skipIf(missing !== undefined || missingRun() !== undefined)('run with a registry', () => {
  it('takes the image from it when the store has it not', async () => {
    const registry = await dockerRegistry();
    const owner = testUser();
    await owner.runOk(['load', '--quiet', '--input', baseArchive('busybox')]);
    const image = `${registry.host}/base/busybox:1`;
    await owner.runOk(['push', '--quiet', 'e2e/busybox:1', image]);
    const user = testUser();
    const command = ['run', '--network=none', image, 'sh', '-c', 'echo from the registry'];
    const first = await user.runOk(command);
    expect(first.stdout.toString()).toBe('from the registry\n');
    expect(first.stderr).toMatch(/^Pulling .*busybox:1\n/);
    const before = registry.requests().length;
    expect((await user.runOk(command)).stderr).toBe('');
    expect(registry.requests()).toHaveLength(before);
  });
});

describe('the image of FROM', () => {
  it('is asked for again with --pull only', async () => {
    const registry = await testRegistry();
    const base = `${registry.host}/base:1`;
    putExampleImage(registry.repository('base'), { tag: '1', layers: ['old'] });
    const user = testUser();
    const context = `${user.directory}/context`;
    writeFiles(context, { Dockerfile: `FROM ${base}\nLABEL a=b\n` });
    const layersOfBuild = async (...flags: readonly string[]): Promise<unknown> => {
      await user.runOk(['build', '--quiet', '--tag', 'app:1', ...flags, context]);
      const { stdout } = await user.runOk(['inspect', '--format', 'raw-config', 'app:1']);
      const config: { readonly rootfs: { readonly diff_ids: unknown } } = JSON.parse(stdout.toString());
      return config.rootfs.diff_ids;
    };
    const first = await layersOfBuild();
    const image = putExampleImage(registry.repository('base'), { tag: '1', layers: ['new'], seed: 1 });
    registry.clearLog();
    expect(await layersOfBuild()).toEqual(first);
    expect(registry.requests).toEqual([]);
    expect(await layersOfBuild('--pull')).toEqual(image.layers);
  });

  it('that is not there is one clear error', async () => {
    const registry = await testRegistry();
    const user = testUser();
    const context = `${user.directory}/context`;
    writeFiles(context, { Dockerfile: `FROM ${registry.host}/none:1\nLABEL a=b\n` });
    const result = await user.run(['build', '--tag', 'app:1', context]);
    expectError(result, /^(REGISTRY_NOT_FOUND|BASE_\w+|IMAGE_\w+)$/, registry.host, 'none');
  });
});
