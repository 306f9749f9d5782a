import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildEvent, type BuildImageOptions, buildImage, ImageBuilder, pushImage } from '@boxwright/build';
import {
  buildDockerImage,
  buildxStepEngine,
  createStepContext,
  dockerStepEngine,
  pushDockerImage,
} from '@boxwright/deploy';
import { fixedCredential, ImageStore, Secret } from '@boxwright/oci';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { findProblems } from '../packages/oci/src/registry/testing/index.ts';
import { docker, dockerOk } from './components/docker-engine.ts';
import { missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { type DockerUser, dockerUser } from './support/docker-user.ts';
import { dockerRegistry } from './support/registries.ts';
import { baseArchive, missingBases, missingRun } from './support/scene.ts';
import { basicAuth } from './support/user.ts';

const given = inject('engine');
const missing = missingBases() ?? (await missingDockerRegistry());
const authorization = `Basic ${basicAuth(REGISTRY_USER.name, REGISTRY_USER.password)}`;
const credentials = fixedCredential(
  { kind: 'password', username: REGISTRY_USER.name, password: new Secret(REGISTRY_USER.password) },
  'this test',
);
const wrong = fixedCredential(
  { kind: 'password', username: REGISTRY_USER.name, password: new Secret('guessed wrong') },
  'this test',
);

describe.skipIf(missing !== undefined || !('value' in given))('from TypeScript', () => {
  if (!('value' in given)) return;
  const access = given.value;
  const { TMPDIR } = process.env;
  // What buildx is given as files has to be where the engine's docker command sees it.
  beforeAll(() => void (process.env['TMPDIR'] = inject('workDirectory')));
  afterAll(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });

  function userWith(dockerfile: string): {
    user: DockerUser;
    context: string;
    places: { env: NodeJS.ProcessEnv; store: string };
  } {
    const user = dockerUser(access);
    const context = join(user.directory, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), dockerfile);
    return { user, context, places: { env: user.env, store: user.store } };
  }

  /** Files of the user that hold the text. */
  function filesWith(user: DockerUser, text: string): string[] {
    const files = readdirSync(user.directory, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return files
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => readFileSync(path).includes(text));
  }

  function removedAfterTest(...names: readonly string[]): void {
    onTestFinished(async () => void (await docker(access, ['image', 'rm', '--force', ...names])));
  }

  describe.each(['docker', 'buildx'] as const)('%s', (engine) => {
    it('builds, names and pushes with credentials that stay in memory', async () => {
      const { host, url } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
      const { user, context, places } = userWith('FROM e2e/busybox:1\nCOPY Dockerfile /\n');
      await using image = new ImageBuilder('e2e/busybox:1');
      image.writeText('hello\n', '/hello').run(['cp', '/hello', '/copy']).label({ made: 'here' });
      const first = `${host}/api/${engine}:1`;
      removedAfterTest(first);
      const lines: string[] = [];
      const streamProgressTo = { write: (text: string) => lines.push(text) };
      const options = { ...places, engine, credentials, network: 'none', streamProgressTo } as const;
      const built = await image.build({ ...options, tag: first, push: true });
      expect(await findProblems(url, `api/${engine}`, '1', { authorization })).toEqual([]);
      const inspected = await dockerOk(access, [
        'image',
        'inspect',
        '--format',
        '{{.Config.Labels.made}}',
        built.imageId,
      ]);
      expect(inspected.stdout.toString()).toBe('here\n');

      const plain = await buildImage(context, options);
      const pushed = await pushImage(plain, `http://${host}`, `api/${engine}`, { ...options, tag: '2' });
      expect(pushed.reference).toBe(`${host}/api/${engine}:2`);
      expect(await findProblems(url, `api/${engine}`, '2', { authorization })).toEqual([]);
      const digest = await digestOf(url, `api/${engine}`, '2');
      expect(pushed.digest).toBe(digest);
      expect(built.digest).toBe(await digestOf(url, `api/${engine}`, '1'));
      const names = await dockerOk(access, ['images', '--format', '{{.Repository}}:{{.Tag}}']);
      expect(names.stdout.toString()).not.toContain(`${host}/api/${engine}:2`);
      expect(lines.join('')).toMatch(/RUN \["cp"/);
      expect(lines.join('')).not.toContain(REGISTRY_USER.password);
      expect(filesWith(user, authorization.slice(6))).toEqual([]);
      expect(filesWith(user, REGISTRY_USER.password)).toEqual([]);
    });

    it('fails with errors of its own family', async () => {
      const { host } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
      const { context, places } = userWith('FROM e2e/busybox:1\nRUN echo the last line; exit 5\n');
      const options = { ...places, engine, network: 'none' } as const;
      await expect(buildImage(context, options)).rejects.toMatchObject({
        name: 'BuildError',
        code: 'RUN_FAILED',
        logTail: ['the last line'],
        details: { exitCode: 5 },
      });
      const refused = pushImage('e2e/busybox:1', host, 'api/app', { ...options, credentials: wrong, tag: '1' });
      await expect(refused).rejects.toMatchObject({ name: 'PushError', code: 'ENGINE_PUSH_FAILED' });
      await expect(refused).rejects.not.toThrow(/guessed wrong/);
      const unreachable = { ...options, env: { ...options.env, DOCKER_HOST: 'unix:///nobody.sock' } };
      await expect(buildImage(context, unreachable)).rejects.toMatchObject({
        name: 'BuildError',
        code: 'ENGINE_UNREACHABLE',
      });
    });

    it('does the steps of a project, and stops at the first tag that is refused', async () => {
      const { host, url } = await dockerRegistry({ auth: { kind: 'htpasswd' } });
      const { user, context, places } = userWith('FROM e2e/busybox:1\nCOPY Dockerfile /\n');
      using store = ImageStore.open(user.store);
      const make = engine === 'docker' ? dockerStepEngine : buildxStepEngine;
      const made = make({ env: places.env, home: user.directory, store: () => store });
      const steps = createStepContext({ store: () => store, engine: () => made, env: places.env, directory: context });
      const image = { imageName: `${host}/steps/${engine}`, tag: '1', additionalTags: ['2', '3'] };
      removedAfterTest(...['1', '2', '3'].map((tag) => `${image.imageName}:${tag}`));
      const built = await buildDockerImage({ ...image, dockerfile: 'Dockerfile', pull: false }, steps);
      expect(built).toMatchObject({ image_name: image.imageName, tag: '1', additional_tags: ['2', '3'] });
      const { name: username } = REGISTRY_USER;
      const login = { username, password: 'guessed wrong', registryUrl: host };
      await expect(pushDockerImage({ ...image, credentials: login }, steps)).rejects.toMatchObject({
        code: 'ENGINE_PUSH_FAILED',
      });
      expect(await digestOf(url, `steps/${engine}`, '1')).toBeNull();
      const right = { ...login, password: REGISTRY_USER.password };
      await pushDockerImage({ ...image, credentials: right }, steps);
      const digests = await Promise.all(['1', '2', '3'].map((tag) => digestOf(url, `steps/${engine}`, tag)));
      expect(new Set(digests).size).toBe(1);
      expect(digests[0]).toMatch(/^sha256:/);
      expect(filesWith(user, REGISTRY_USER.password)).toEqual([]);
    });
  });

  describe.skipIf(missingRun() !== undefined)('progress', () => {
    it('is told in the same events by all engines', async () => {
      const { user, context, places } = userWith(
        'FROM e2e/busybox:1 AS base\nRUN echo out; echo err >&2\nFROM base\nCOPY Dockerfile /\nWORKDIR /w\nRUN cat /Dockerfile\n',
      );
      await user.runOk(['load', '--quiet', '--input', baseArchive('busybox')]);
      const streams: Record<string, unknown> = {};
      for (const [name, engine, variables] of [
        ['embedded', 'embedded', {}],
        ['docker', 'docker', {}],
        ['classic', 'docker', { DOCKER_BUILDKIT: '0' }],
        ['buildx', 'buildx', {}],
      ] as const) {
        const env = { ...places.env, ...variables };
        const options = { ...places, env, engine, network: 'none' } as const;
        streams[name] = [
          await stepsOf(context, { ...options, noCache: true }),
          await stepsOf(context, { ...options, noCache: false }),
        ];
      }
      const [cached, fresh] = [
        ['started', 'cached', 'completed'],
        ['started', 'completed'],
      ];
      const printed = ['started', 'log', 'completed'];
      const lines = ['RUN echo out; echo err >&2', 'COPY Dockerfile /', 'WORKDIR /w', 'RUN cat /Dockerfile'];
      const expected = [
        lines.map((line) => [line, line.startsWith('RUN') ? printed : fresh]),
        lines.map((line) => [line, cached]),
      ];
      expect(streams).toEqual({ embedded: expected, docker: expected, classic: expected, buildx: expected });
    });
  });
});

/** What is told of each step that does something, in the order in which they begin; several pieces of output are one. */
async function stepsOf(context: string, options: BuildImageOptions): Promise<unknown> {
  const names = new Map<string, string>();
  const steps = new Map<string, string[]>();
  const onEvent = (event: BuildEvent): void => {
    if (event.type === 'vertex') names.set(event.id, event.name);
    if (event.type === 'vertex' || event.type === 'warning' || event.type === 'status') return;
    const [, line] = /^\[[^\]]+\] ((?:RUN|COPY|WORKDIR).*)$/.exec(names.get(event.id) ?? '') ?? [];
    if (line === undefined) return;
    const kinds = steps.get(line) ?? [];
    steps.set(line, kinds);
    if (kinds.at(-1) !== event.type) kinds.push(event.type);
  };
  await buildImage(context, { ...options, onEvent });
  return [...steps];
}

async function digestOf(url: string, repository: string, tag: string): Promise<string | null> {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
  const answer = await fetch(`${url}/v2/${repository}/manifests/${tag}`, { headers: { accept, authorization } });
  return answer.headers.get('docker-content-digest');
}
