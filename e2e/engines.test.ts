import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { findProblems } from '../packages/oci/src/registry/testing/index.ts';
import { differencesOf } from './compare/compare-configs.ts';
import { compareImages } from './compare/compare-images.ts';
import { compareTrees } from './compare/compare-layers.ts';
import { applyLayer, type FileTree } from './compare/flatten.ts';
import { type ImageSummary, summarizeArchive } from './compare/summary.ts';
import { docker, dockerOk, type EngineAccess } from './components/docker-engine.ts';
import { missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { buildWithBoxwright } from './runner/build-with-boxwright.ts';
import { buildWithEngine, engines, engineVariables } from './runner/build-with-engine.ts';
import { type CorpusCase, corpusCases } from './runner/corpus-case.ts';
import { prepareContext } from './runner/prepare-context.ts';
import { boxwrightOk } from './support/boxwright.ts';
import { expectError } from './support/expect-error.ts';
import { dockerRegistry } from './support/registries.ts';
import { basicAuth, testUser, type User, writeDockerConfig } from './support/user.ts';

const work = inject('workDirectory');
const bases = inject('bases');
const engine = inject('engine');
const missingRegistry = await missingDockerRegistry();
const home = join(work, 'engines-home');

/** Cases of the corpus that come out the same with every builder, the classic one too. */
const everybody = [
  'add-archives, arg-scopes, cmd-forms, copy-basics, copy-hardlinks, copy-source-symlinks, copy-wildcards, entrypoint-resets-cmd',
  'env-expansion, env-legacy, expose-ranges, file-flag-elsewhere, healthcheck-variants, ignore-basics, ignore-slashes, label-flag',
  'label-forms, onbuild-define, onbuild-triggers, run-failing, shell-changes, stages-target, stopsignal-forms, user-run',
  'workdir-chain',
];

/**
 * What the classic builder does not know or does in its own way: it loses what is written to volumes and capabilities of
 * files, gives WORKDIR to root and builds stages that nobody needs.
 */
const buildkitOnly = [
  'arg-platform, copy-chmod, copy-chown-names, copy-from-context, copy-from-image, copy-from-stage, copy-inline, copy-link',
  'copy-odd-names, copy-special-files, copy-xattrs, ignore-everything-but, ignore-per-dockerfile, metadata-all, mount-bind',
  'mount-cache, mount-secret, parse-unknown-instruction, platform-from-flag, realistic-service, run-environment, run-heredocs',
  'source-date-epoch, stages-graph, volume-then-change',
];

/** `BOXWRIGHT_E2E_ENGINE_CASES`, a regular expression, picks others. */
function casesOf(lists: readonly string[]): CorpusCase[] {
  const picked = process.env['BOXWRIGHT_E2E_ENGINE_CASES'];
  const names = new Set(lists.flatMap((list) => list.split(', ')));
  return corpusCases().filter(({ name }) => (picked === undefined ? names.has(name) : new RegExp(picked).test(name)));
}

/** What only some engines can be asked for. */
const lacks: Readonly<Record<string, string>> = { docker: 'copy-from-context' };

describe.skipIf(!('value' in bases && 'value' in engine))('one build with every engine', () => {
  if (!('value' in bases) || !('value' in engine)) return;
  beforeAll(async () => {
    for (const archive of Object.values(bases.value.archives)) await boxwrightOk(home, ['load', '--input', archive]);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  describe.each(['docker', 'buildx'] as const)('%s', (name) => {
    const cases = casesOf([...everybody, ...buildkitOnly]).filter((one) => lacks[name] !== one.name);
    it.concurrent.each(cases)('$name', (corpusCase) =>
      withBothImages(engine.value, corpusCase, name, (actual, expected) => {
        const ignore = Object.keys(corpusCase.differs ?? {});
        const differences = compareImages(actual, expected, { ignore });
        // Steps that end within one millisecond share a time in one image and not in the other; the corpus looks at times.
        const lasting = differences.filter((line) => !/^config\.(?:history\[\d+\]\.)?created:/.test(line));
        expect(lasting.join('\n')).toBe('');
      }),
    );
  });

  it.concurrent.each(casesOf(everybody))('classic builder: $name', (corpusCase) =>
    withBothImages(engine.value, corpusCase, 'classic', (actual, expected) => {
      expect(sameContainers(actual, expected)).toEqual([]);
    }),
  );
});

/** Builds with an engine and with our own, and compares; a case that fails has to fail with the engine. */
async function withBothImages(
  access: EngineAccess,
  corpusCase: CorpusCase,
  name: Parameters<typeof buildWithEngine>[4],
  compare: (actual: ImageSummary, expected: ImageSummary) => void,
): Promise<void> {
  const context = join(work, `engines-${name}-${corpusCase.name}`);
  try {
    await prepareContext(corpusCase, context);
    const actual = await buildWithEngine(access, home, corpusCase, context, name);
    if (corpusCase.fails !== undefined) {
      expect(actual).toHaveProperty('failure');
      if ('failure' in actual) expect(actual.failure).toMatch(/\[(?:RUN_FAILED|ENGINE_BUILD_FAILED)\]/);
      return;
    }
    const expected = await buildWithBoxwright(home, corpusCase, context);
    if (!('image' in actual)) throw new Error(actual.failure);
    if (!('image' in expected)) throw new Error(expected.failure);
    compare(actual.image, expected.image);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Settings and file system; the classic builder writes another history and cuts layers elsewhere. */
function sameContainers(expected: ImageSummary, actual: ImageSummary): string[] {
  return [
    ...differencesOf(settingsOf(expected), settingsOf(actual), 'config'),
    ...compareTrees(flatten(expected), flatten(actual)),
  ];
}

function settingsOf({ config }: ImageSummary): ImageSummary['config'] {
  const { os, architecture } = config;
  // The classic builder writes every field, also those that say nothing, and one that is for Windows.
  const settings = Object.entries(config['config'] ?? {}).filter(
    ([name, value]) =>
      !(value === null || value === '' || value === false || name === 'Image' || name === 'ArgsEscaped'),
  );
  return { os: os ?? '', architecture: architecture ?? '', ...Object.fromEntries(settings) };
}

function flatten(image: ImageSummary): FileTree {
  let tree: FileTree = new Map();
  for (const layer of image.layers) tree = applyLayer(tree, layer).tree;
  return tree;
}

describe.skipIf(!('value' in bases && 'value' in engine))('a Docker Engine', () => {
  if (!('value' in bases) || !('value' in engine)) return;
  const access: EngineAccess = engine.value;

  function engineUser(): User {
    const user = testUser();
    const variables = engineVariables(access, user.directory);
    return {
      ...user,
      run: (args, options = {}) => user.run(args, { env: { ...user.env, ...variables }, ...options }),
      runOk: (args, options = {}) => user.runOk(args, { env: { ...user.env, ...variables }, ...options }),
    };
  }

  function context(user: User, dockerfile: string): string {
    const directory = join(user.directory, 'context');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'Dockerfile'), dockerfile);
    writeFileSync(join(directory, 'file'), 'one\n');
    return directory;
  }

  it('is a place to copy from and to', async () => {
    const user = engineUser();
    const name = `e2e-copy/app:${process.pid}`;
    onTestFinished(async () => void (await docker(access, ['image', 'rm', '--force', name])));
    await user.runOk([
      'copy',
      '--quiet',
      `docker-archive:${bases.value.archives['busybox'] ?? ''}`,
      `docker-daemon:${name}`,
    ]);
    const there = await dockerOk(access, ['image', 'inspect', '--format', '{{.Id}}', name]);
    expect(there.stdout.toString()).toBe(
      (await dockerOk(access, ['image', 'inspect', '--format', '{{.Id}}', 'e2e/busybox:1'])).stdout.toString(),
    );
    const archive = join(user.directory, 'back.tar');
    await user.runOk(['copy', '--quiet', `docker-daemon:${name}`, `docker-archive:${archive}:back:1`]);
    const original = await summarizeArchive(bases.value.archives['busybox'] ?? '');
    expect(compareImages(original, await summarizeArchive(archive))).toEqual([]);
    expectError(await user.run(['copy', 'docker-daemon:e2e/nowhere:1', 'x']), /^IMAGE_NOT_FOUND$/, /e2e\/nowhere/);
  });

  it.each(Object.entries(engines))('%s: writes ids, metadata and files', async (name, { args, env }) => {
    const user = engineUser();
    const variables = { ...user.env, ...engineVariables(access, user.directory), ...env };
    const [out = '', iid = '', metadata = ''] = ['out', 'iid', 'metadata'].map((file) => join(user.directory, file));
    const place = context(user, 'FROM e2e/busybox:1\nCOPY file /\nLABEL by=engine\n');
    const build = ['build', ...args, '--iidfile', iid, '--metadata-file', metadata];
    const { stdout } = await user.runOk([...build, '--output', out, place], { env: variables });
    const imageId = stdout.toString().trim();
    expect(readFileSync(iid, 'utf8')).toBe(imageId);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toMatchObject({ 'containerimage.config.digest': imageId });
    expect(readFileSync(join(out, 'file'), 'utf8')).toBe('one\n');
    const archive = join(user.directory, 'out.tar');
    const written = await user.run([...build, '--output', `type=docker,dest=${archive}`, place], { env: variables });
    // What BuildKit in an engine cannot do has a way out.
    if (name === 'buildx') return expectError(written, /^ENGINE_BUILD_FAILED$/, /engines docker and embedded/);
    expect(written.code, written.stderr).toBe(0);
    expect((await summarizeArchive(archive)).imageId).toBe(imageId);
  });

  it.each(Object.entries(engines))(
    '%s: says which command failed, with its output and exit code',
    async (_name, { args, env }) => {
      const user = engineUser();
      const variables = { ...user.env, ...engineVariables(access, user.directory), ...env };
      // What a command prints must not make another try of it.
      const place = context(user, 'FROM e2e/busybox:1\nRUN echo connection reset; echo to the end >&2; exit 42\n');
      const result = await user.run(['build', ...args, '--network=none', '--progress=plain', place], {
        env: variables,
      });
      expect(result.stderr).toMatch(/exit code: 42|non-zero code: 42/);
      expect(result.stderr).toMatch(/to the end/);
      expect(result.stderr).not.toMatch(/try 1 of/);
      expectError({ ...result, stderr: result.stderr.replace(/^ERROR:/m, 'error:') }, /^RUN_FAILED$/);
    },
  );

  it('that does not run is named', async () => {
    const user = testUser({ DOCKER_HOST: `unix://${work}/nobody.sock` });
    const place = context(user, 'FROM scratch\nCOPY file /\n');
    expectError(await user.run(['build', '--engine', 'docker', place]), /^ENGINE_UNREACHABLE$/, /nobody\.sock/);
    const variables = {
      ...user.env,
      ...engineVariables(access, user.directory),
      DOCKER_HOST: `unix://${work}/nobody.sock`,
    };
    const buildx = await user.run(['build', '--engine', 'buildx', place], { env: variables });
    expectError(buildx, /^ENGINE_UNREACHABLE$/, /nobody\.sock/);
  });

  it('refuses what its builders cannot be told', async () => {
    const user = engineUser();
    const place = context(user, 'FROM scratch\nCOPY file /\n');
    const build = ['build', '--engine', 'docker'];
    expectError(await user.run([...build, '--build-context', 'a=.', place]), /^ENGINE_UNSUPPORTED$/, /buildx/);
    expectError(await user.run([...build, '--annotation', 'a=b', place]), /^ENGINE_UNSUPPORTED$/, /buildx/);
  });

  it('sends a changed file again, and only what is wanted', async () => {
    const user = engineUser();
    const place = context(user, 'FROM scratch\nCOPY file /\n');
    writeFileSync(join(place, 'large'), Buffer.alloc(5_000_000, 'x'));
    const build = ['build', '--engine', 'docker', '--progress=rawjson', place];
    const first = await user.runOk(build);
    expect(transferred(first.stderr)).toBeLessThan(100_000);
    writeFileSync(join(place, 'file'), 'two\n');
    const second = await user.runOk(build);
    expect(second.stdout.toString()).not.toBe(first.stdout.toString());
    const whole = ['build', '--engine', 'docker', '--progress=rawjson', '-f', '-', place];
    expect(transferred((await user.runOk(whole, { input: 'FROM scratch\nCOPY . /\n' })).stderr)).toBeGreaterThan(
      5_000_000,
    );
  });

  describe.skipIf(missingRegistry !== undefined)('and a registry that wants a login', () => {
    it.each(Object.entries(engines))(
      '%s: pushes every name, and starts from what it may see',
      async (name, { args, env }) => {
        const { host, url } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
        const user = engineUser();
        const variables = { ...user.env, ...engineVariables(access, user.directory), ...env };
        const names = [1, 2].map((tag) => `${host}/team/${name}:${tag}`);
        onTestFinished(async () => void (await docker(access, ['image', 'rm', '--force', ...names])));
        const build = ['build', ...args, '--network=none', '--push', ...names.flatMap((one) => ['-t', one])];
        const place = context(user, 'FROM e2e/busybox:1\nCOPY file /\n');
        const refused = await user.run([...build, place], { env: variables });
        expectError(refused, /^ENGINE_(?:PUSH|BUILD)_FAILED$/, /log in/);
        const auth = basicAuth(REGISTRY_USER.name, REGISTRY_USER.password);
        writeDockerConfig(user, { auths: { [host]: { auth } } });
        const metadata = join(user.directory, 'metadata');
        await user.runOk([...build, '--metadata-file', metadata, place], { env: variables });
        for (const tag of ['1', '2']) {
          expect(await findProblems(url, `team/${name}`, tag, { authorization: `Basic ${auth}` })).toEqual([]);
        }
        const answer = await fetch(`${url}/v2/team/${name}/manifests/1`, {
          headers: {
            authorization: `Basic ${auth}`,
            accept: 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json',
          },
        });
        expect(JSON.parse(readFileSync(metadata, 'utf8'))).toMatchObject({
          'containerimage.digest': answer.headers.get('docker-content-digest'),
        });

        await dockerOk(access, ['image', 'rm', '--force', ...names]);
        const onTop = context(user, `FROM ${names[0] ?? ''}\nLABEL on=top\n`);
        await user.runOk(['build', ...args, '--pull', '--network=none', onTop], { env: variables });
        writeDockerConfig(user, {});
        const denied = await user.run(['build', ...args, '--pull', '--no-cache', '--network=none', onTop], {
          env: variables,
        });
        expectError(denied, /^ENGINE_BUILD_FAILED$/, /log in/);
      },
    );
  });
});

/** Bytes of the context that BuildKit says it got. */
function transferred(stderr: string): number {
  const amounts = [...stderr.matchAll(/"id":"transferring context:".*?"current":(\d+)/g)].map(([, count]) =>
    Number(count),
  );
  return Math.max(0, ...amounts);
}
