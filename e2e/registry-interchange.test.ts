import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { findProblems, putExampleImage } from '../packages/oci/src/registry/testing/index.ts';
import { docker, dockerOk, runBeside } from './components/docker-engine.ts';
import { missingDockerRegistry } from './components/docker-registry.ts';
import { findProblemsInDirectory } from './support/blob-directory.ts';
import { dockerRegistry, testRegistry } from './support/registries.ts';
import { describeFailure, run } from './support/run.ts';
import { baseArchive, missingBases } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach, temporaryDirectory } from './support/temporary.ts';
import { testUser, type User } from './support/user.ts';

removeTemporaryDirectoriesAfterEach();

const engine = inject('engine');
const missing = (await missingDockerRegistry()) ?? missingBases();

/** Runs skopeo beside the engine where there is one (newer), else the machine's own. */
async function skopeo(args: readonly string[]): Promise<string> {
  const all = ['--insecure-policy', ...args];
  const result = 'value' in engine ? await runBeside(engine.value, 'skopeo', all) : await run('skopeo', all);
  if (result.code !== 0) throw new Error(describeFailure(result));
  return result.stdout.toString();
}

const hasSkopeo = 'value' in engine || (await run('skopeo', ['--version']).catch(() => undefined))?.code === 0;
const PLAIN = ['--src-tls-verify=false', '--dest-tls-verify=false'];

/** A user whose store holds the base image. */
async function userWithBase(name: 'busybox' | 'rich' = 'busybox'): Promise<User> {
  const user = testUser();
  await user.runOk(['load', '--quiet', '--input', baseArchive(name)]);
  return user;
}

async function rawDigest(user: User, reference: string): Promise<string> {
  const { stdout } = await user.runOk(['inspect', '--format', 'raw-manifest', reference]);
  return `sha256:${createHash('sha256').update(stdout).digest('hex')}`;
}

/** The digest that a command printed: `NAME@DIGEST` on its last line. */
function printedDigest(stdout: Buffer): string {
  const digest = /@(sha256:[0-9a-f]{64})\s*$/.exec(stdout.toString())?.[1];
  if (digest === undefined) throw new Error(`no digest in ${stdout.toString()}`);
  return digest;
}

describe.skipIf(missing !== undefined)('CNCF Distribution', () => {
  it.each(['none', 'gzip', 'zstd'])('keeps what we push with --compression %s, whole', async (compression) => {
    const registry = await dockerRegistry();
    const user = await userWithBase();
    const pushed = await user.runOk(['push', '--compression', compression, 'e2e/busybox:1', `${registry.host}/app:1`]);
    const digest = printedDigest(pushed.stdout);
    expect(await findProblems(registry.url, 'app', digest)).toEqual([]);
    expect(await findProblems(registry.url, 'app', '1')).toEqual([]);
    const other = testUser();
    const pulled = await other.runOk(['pull', `${registry.host}/app@${digest}`]);
    expect(printedDigest(pulled.stdout)).toBe(digest);
    expect(findProblemsInDirectory(other.store, digest)).toEqual([]);
    const history = (await other.runOk(['history', `docker://${registry.host}/app:1`])).stdout.toString();
    expect(history.split('\n').length).toBeGreaterThan(1);
  });

  it('lists tags, and copies between repositories by mounting', async () => {
    const registry = await dockerRegistry();
    const user = await userWithBase();
    for (const tag of ['2', '1', '10'])
      await user.runOk(['push', '-q', 'e2e/busybox:1', `${registry.host}/app:${tag}`]);
    const { stdout } = await user.runOk(['tags', `${registry.host}/app`]);
    expect(stdout.toString().trim().split('\n').sort()).toEqual(['1', '10', '2']);
    const before = registry.requests().length;
    await user.runOk(['copy', `docker://${registry.host}/app:1`, `docker://${registry.host}/team/copy:1`]);
    expect(await findProblems(registry.url, 'team/copy', '1')).toEqual([]);
    const requests = registry.requests().slice(before);
    expect(
      requests.filter((line) => /^(?:PATCH|GET .*\/blobs\/sha256)/.test(line.split('team/copy')[0] ?? '')),
    ).toEqual([]);
  });
});

describe.skipIf(missing !== undefined)('signatures and other referrers', () => {
  it('come along with --referrers, from a registry with the API to one without', async () => {
    const source = await testRegistry();
    const repository = source.repository('app');
    const { digest, size, mediaType } = putExampleImage(repository, { tag: '1' });
    const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: repository.putBlob('{}'), size: 2 };
    const artifact = (artifactType: string, extra: object, tag?: string): string =>
      repository.putManifest(
        { schemaVersion: 2, mediaType, artifactType, config: empty, layers: [empty], ...extra },
        tag,
      );
    const referrer = artifact('application/vnd.example.sbom', { subject: { mediaType, digest, size } });
    const signatureTag = `${digest.replace(':', '-')}.sig`;
    const signature = artifact('application/vnd.example.signature', {}, signatureTag);
    const registry = await dockerRegistry();
    const copy = ['copy', '--referrers', `docker://${source.host}/app:1`, `docker://${registry.host}/copy:1`];
    await testUser().runOk(copy);
    for (const reference of ['1', referrer, signatureTag, signature]) {
      expect(await findProblems(registry.url, 'copy', reference)).toEqual([]);
    }
    // The referrers tag schema of the distribution specification.
    const fallback = await fetch(`${registry.url}/v2/copy/manifests/${digest.replace(':', '-')}`, {
      headers: { accept: 'application/vnd.oci.image.index.v1+json' },
    });
    expect(await fallback.json()).toMatchObject({ manifests: [{ digest: referrer }] });
  });
});

describe.skipIf(missing !== undefined || !hasSkopeo)('skopeo', () => {
  it('copies what we pushed by digest, and we pull what it pushed', async () => {
    const registry = await dockerRegistry();
    const user = await userWithBase('rich');
    const { stdout } = await user.runOk(['push', 'e2e/rich:1', `${registry.host}/app:1`]);
    const digest = printedDigest(stdout);
    const directory = temporaryDirectory('skopeo');
    const named = `docker://${registry.host}/app@${digest}`;
    await skopeo(['copy', '--quiet', '--preserve-digests', ...PLAIN, named, `oci:${directory}/layout:1`]);
    expect(findProblemsInDirectory(join(directory, 'layout'), digest)).toEqual([]);
    for (const [format, path] of [
      ['oci', 'from-layout'],
      ['v2s2', 'as-docker'],
    ] as const) {
      const target = `docker://${registry.host}/${path}:1`;
      await skopeo(['copy', '--quiet', '--format', format, ...PLAIN, `oci:${directory}/layout:1`, target]);
      const raw = await skopeo(['inspect', '--raw', '--tls-verify=false', target]);
      const expected = `sha256:${createHash('sha256').update(raw).digest('hex')}`;
      const other = testUser();
      expect(printedDigest((await other.runOk(['pull', `${registry.host}/${path}:1`])).stdout)).toBe(expected);
      expect(await rawDigest(other, `${registry.host}/${path}:1`)).toBe(expected);
    }
  });
});

describe.skipIf(missing !== undefined || !('value' in engine))('a Docker Engine', () => {
  it('pulls what we pushed, by tag and by digest, and runs it; we pull what it pushed', async () => {
    if (!('value' in engine)) throw new Error('no engine');
    const registry = await dockerRegistry();
    const user = await userWithBase();
    const image = `${registry.host}/engine/app`;
    try {
      for (const compression of ['gzip', 'zstd']) {
        const { stdout } = await user.runOk([
          'push',
          '--compression',
          compression,
          'e2e/busybox:1',
          `${image}:${compression}`,
        ]);
        const digest = printedDigest(stdout);
        await dockerOk(engine.value, ['pull', '--quiet', `${image}@${digest}`]);
        await dockerOk(engine.value, ['pull', '--quiet', `${image}:${compression}`]);
        const inspected = await dockerOk(engine.value, [
          'image',
          'inspect',
          '--format',
          '{{json .RepoDigests}}',
          `${image}:${compression}`,
        ]);
        expect(inspected.stdout.toString()).toContain(digest);
        const files = await dockerOk(engine.value, [
          'run',
          '--rm',
          '--network=none',
          `${image}:${compression}`,
          'ls',
          '/',
        ]);
        expect(files.stdout.toString()).toMatch(/^bin$/m);
      }
      await dockerOk(engine.value, ['tag', `${image}:gzip`, `${image}:back`]);
      await dockerOk(engine.value, ['push', '--quiet', `${image}:back`]);
      const other = testUser();
      const { stdout } = await other.runOk(['pull', `${image}:back`]);
      expect(findProblemsInDirectory(other.store, printedDigest(stdout))).toEqual([]);
      expect(await findProblems(registry.url, 'engine/app', 'back')).toEqual([]);
    } finally {
      const listed = await docker(engine.value, ['images', '--quiet', image]);
      const ids = [
        ...new Set(
          listed.stdout
            .toString()
            .split('\n')
            .filter((id) => id !== ''),
        ),
      ];
      // Only our names: the base has the same layers under its own.
      for (const tag of ['gzip', 'zstd', 'back']) await docker(engine.value, ['rmi', `${image}:${tag}`]);
      expect(ids.length).toBeLessThan(5);
    }
  });
});

describe.skipIf(missing !== undefined)('two copies of one image', () => {
  it('have the same bytes in a layout and a registry', async () => {
    const registry = await dockerRegistry();
    const user = await userWithBase();
    const layout = join(user.directory, 'layout');
    await user.runOk(['push', '-q', 'e2e/busybox:1', `${registry.host}/app:1`]);
    const { stdout } = await user.runOk(['copy', `docker://${registry.host}/app:1`, `oci:${layout}:1`]);
    const digest = printedDigest(stdout);
    expect(findProblemsInDirectory(layout, digest)).toEqual([]);
    const index: { manifests: { digest: string }[] } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
    expect(index.manifests.map((entry) => entry.digest)).toEqual([digest]);
    const back = await user.runOk(['copy', `oci:${layout}:1`, `docker://${registry.host}/back:1`]);
    expect(printedDigest(back.stdout)).toBe(digest);
    expect(await findProblems(registry.url, 'back', digest)).toEqual([]);
  });
});
