import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openRegistryAccess } from '@boxwright/oci';
import { temporaryDirectory } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { type FakeEngine, fakeEngine } from '../testing/fake-engine.ts';
import { type TestStepContext, testStepContext, testStore } from '../testing/step-context.ts';
import { buildDockerImage } from './build-docker-image.ts';
import type { BuildDockerImageOptions } from './build-docker-image-options.ts';
import { embeddedStepEngine } from './engines/embedded-step-engine.ts';
import { pushDockerImage } from './push-docker-image.ts';
import type { StepReport } from './step-report.ts';

interface Scene {
  readonly engine: FakeEngine;
  readonly context: TestStepContext;
  readonly directory: string;
  readonly reports: StepReport[];
}

function scene(engine: FakeEngine = fakeEngine()): Scene {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY app /\n');
  writeFileSync(join(directory, 'app'), 'one');
  const reports: StepReport[] = [];
  const context = testStepContext({ engine: () => engine, directory, onReport: (report) => reports.push(report) });
  return { engine, context, directory, reports };
}

const image: BuildDockerImageOptions = { imageName: 'example.com/team/app', tag: 'dev' };

describe('buildDockerImage', () => {
  it('gives what Prefect gives, and the digest', async () => {
    const { context, engine, directory } = scene();
    const result = await buildDockerImage({ ...image, additionalTags: ['a', 'b'] }, context);
    expect(result).toEqual({
      image_name: 'example.com/team/app',
      tag: 'dev',
      image: 'example.com/team/app:dev',
      image_id: expect.stringMatching(/^sha256:/),
      additional_tags: ['a', 'b'],
      digest: expect.stringMatching(/^sha256:/),
    });
    expect(engine.builds).toMatchObject([
      {
        contextDir: directory,
        tags: ['example.com/team/app:dev', 'example.com/team/app:a', 'example.com/team/app:b'],
        pull: true,
        push: false,
      },
    ]);
  });

  it('builds once what is equal, by content', async () => {
    const { context, engine, directory, reports } = scene();
    const twice = await Promise.all([buildDockerImage(image, context), buildDockerImage(image, context)]);
    expect(twice[0]).toEqual(twice[1]);
    utimesSync(join(directory, 'app'), 1, 1);
    await buildDockerImage(image, context);
    expect(engine.builds).toHaveLength(1);
    expect(reports).toHaveLength(3);
    expect(reports.slice(1)).toMatchObject([
      { cached: true, seconds: 0 },
      { cached: true, seconds: 0 },
    ]);
    writeFileSync(join(directory, 'app'), 'two');
    await buildDockerImage(image, context);
    writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY app /x\n');
    await buildDockerImage(image, context);
    await buildDockerImage({ ...image, buildArgs: new Map([['A', '1']]) }, context);
    await buildDockerImage({ ...image, tag: 'other' }, context);
    expect(engine.builds).toHaveLength(5);
    await buildDockerImage({ ...image, tag: 'other', ignoreCache: true }, context);
    expect(engine.builds).toHaveLength(6);
  });

  it('heeds the ignore file', async () => {
    const { context, engine, directory } = scene();
    writeFileSync(join(directory, '.dockerignore'), 'noise\n');
    await buildDockerImage(image, context);
    writeFileSync(join(directory, 'noise'), 'x');
    await buildDockerImage(image, context);
    expect(engine.builds).toHaveLength(1);
  });

  it('gives all who ask for the same image the same time as tag', async () => {
    const { context } = scene();
    const first = await buildDockerImage({ imageName: 'a/b' }, context);
    expect(first.tag).toMatch(/^\d{4}-\d\d-\d\dt\d\d-\d\d-\d\d-\d{6}-00-00$/);
    expect((await buildDockerImage({ imageName: 'a/b' }, context)).tag).toBe(first.tag);
  });

  it('makes a Dockerfile outside of the project, and keeps a copy when asked', async () => {
    const { context, engine, directory } = scene();
    const before = readdirSync(directory);
    let text = '';
    engine.build = async function (request) {
      text = readFileSync(request.dockerfilePath, 'utf8');
      return await fakeEngine().build(request);
    };
    const prefect = { ...context, isPrefectProject: true };
    await buildDockerImage({ ...image, dockerfile: 'auto' }, prefect);
    expect(text.split('\n')).toEqual([
      'FROM prefecthq/prefect:3-python3.12',
      `COPY . /opt/prefect/${basename(directory)}/`,
      `WORKDIR /opt/prefect/${basename(directory)}/`,
      '',
    ]);
    expect(readdirSync(directory)).toEqual(before);
    await buildDockerImage({ ...image, dockerfile: 'auto', persistDockerfile: true }, prefect);
    expect(readFileSync(join(directory, 'Dockerfile.generated'), 'utf8')).toBe(text);
  });

  it("keeps no copy in the place of the user's own Dockerfile", async () => {
    const { context, engine, directory } = scene();
    const prefect = { ...context, isPrefectProject: true };
    const path = join(directory, 'Dockerfile');
    const own = readFileSync(path, 'utf8');
    const options = { ...image, dockerfile: 'auto', persistDockerfile: true };
    await expect(buildDockerImage({ ...options, dockerfileOutputPath: './Dockerfile' }, prefect)).rejects.toMatchObject(
      {
        code: 'STEP_INPUT_INVALID',
        message: `${path} is there already: Dockerfile already exists.`,
        details: { input: 'dockerfile_output_path' },
      },
    );
    expect(readFileSync(path, 'utf8')).toBe(own);
    expect(engine.builds).toEqual([]);
    // Its own work may be written again.
    mkdirSync(join(directory, 'docker'));
    const made = { ...options, dockerfileOutputPath: 'docker/Dockerfile' };
    await buildDockerImage(made, prefect);
    await buildDockerImage(made, prefect);
  });

  it('gives commands the proxies of the Docker config, unless it is told not to', async () => {
    const { context, engine } = scene();
    const DOCKER_CONFIG = temporaryDirectory();
    const proxies = { default: { httpProxy: 'http://ann:open%20sesame%@proxy:3128', noProxy: 'localhost' } };
    writeFileSync(join(DOCKER_CONFIG, 'config.json'), JSON.stringify({ proxies }));
    const behind = { ...context, env: { ...context.env, DOCKER_CONFIG } };
    const buildArgs = new Map([['no_proxy', 'mine']]);
    await buildDockerImage({ ...image, buildArgs }, behind);
    await buildDockerImage({ ...image, useConfigProxy: false }, behind);
    // Docker's own command knows them.
    await buildDockerImage({ ...image, buildBackend: 'buildx' }, behind);
    expect(engine.builds.map((build) => Object.fromEntries(build.buildArgs))).toEqual([
      {
        HTTP_PROXY: proxies.default.httpProxy,
        http_proxy: proxies.default.httpProxy,
        NO_PROXY: 'localhost',
        no_proxy: 'mine',
      },
      {},
      {},
    ]);
    expect(context.redactor.redact('open sesame% open%20sesame%')).toBe('*** ***');
  });

  it('refuses several platforms that are pushed nowhere', async () => {
    const { context } = scene();
    const options = { ...image, platforms: ['linux/amd64', 'linux/arm64'] };
    await expect(buildDockerImage(options, context)).rejects.toMatchObject({ code: 'STEP_INPUT_INVALID' });
  });

  it('builds with our own engine', async () => {
    const { directory, reports } = scene();
    const store = testStore();
    mkdirSync(join(directory, 'elsewhere'));
    const access = openRegistryAccess({ env: {}, home: directory });
    const engine = embeddedStepEngine({ store, registries: () => access });
    const context = testStepContext({
      engine: () => engine,
      store,
      directory,
      onReport: (report) => reports.push(report),
    });
    const built = await buildDockerImage({ ...image, additionalTags: ['v1'] }, context);
    expect(store().resolve('example.com/team/app:v1')?.digest).toBe(built.digest);
    expect(store().resolve('example.com/team/app:dev')?.digest).toBe(built.digest);
    expect(await engine.identityOf('example.com/team/app:dev')).toBe(built.digest);
    await buildDockerImage({ ...image, tag: 'again' }, context);
    expect(reports.map(({ cached }) => cached)).toEqual([false, true]);
    await expect(pushDockerImage({ imageName: 'example.com/team/app', tag: 'deb' }, context)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      hint: 'There are the tags again, dev, v1.',
    });
  });
});

describe('pushDockerImage', () => {
  it('pushes tag after tag, and none after a failure', async () => {
    const { context, engine } = scene(fakeEngine({ refuses: ['example.com/team/app:b'] }));
    const failing = pushDockerImage(
      { imageName: 'example.com/team/app', tag: 'a', additionalTags: ['b', 'c'] },
      context,
    );
    await expect(failing).rejects.toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringContaining('(pushed: a; not pushed: b, c)'),
      details: { pushed: ['a'], notPushed: ['b', 'c'] },
    });
    expect(engine.pushed).toEqual(['example.com/team/app:a']);
  });

  it('takes credentials for its registry alone, and shows none of them', async () => {
    const { context, engine } = scene();
    const credentials = { username: 'ann', password: 'correct horse', registryUrl: 'https://example.com/v2/' };
    await pushDockerImage({ imageName: 'example.com/team/app', tag: 'a', credentials }, context);
    expect(engine.pushes[0]?.login).toMatchObject({ registry: 'example.com', username: 'ann' });
    expect(JSON.stringify(engine.pushes)).not.toContain('horse');
    expect(context.redactor.redact('correct horse')).toBe('***');
    expect(context.warnings).toEqual([]);
    await pushDockerImage({ imageName: 'a/b', tag: 'a', credentials }, context);
    expect(context.warnings).toEqual([expect.stringContaining('credentials of ann are for example.com')]);
  });

  it('pushes once what is equal, whoever asks', async () => {
    const { context, engine } = scene();
    const options = { imageName: 'example.com/team/app', tag: 'a' };
    const credentials = { username: 'ann', password: 'one', registryUrl: 'example.com' };
    await pushDockerImage({ ...options, credentials }, context);
    await pushDockerImage({ ...options, credentials: { ...credentials, password: 'two' } }, context);
    expect(engine.pushes).toHaveLength(1);
    await buildDockerImage({ ...image, tag: 'a' }, context);
    await pushDockerImage(options, context);
    expect(engine.pushes).toHaveLength(2);
  });

  it('has a tag in any case', async () => {
    const { context, engine } = scene();
    expect(await pushDockerImage({ imageName: 'example.com/team/app' }, context)).toMatchObject({
      tag: 'latest',
      image: 'example.com/team/app:latest',
      digest: null,
    });
    expect(engine.pushed).toEqual(['example.com/team/app:latest']);
  });
});
