import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { findProblems } from '../packages/oci/src/registry/testing/index.ts';
import { compareImages } from './compare/compare-images.ts';
import { type ImageSummary, summarizeArchive } from './compare/summary.ts';
import { docker, dockerOk } from './components/docker-engine.ts';
import { type DockerRegistry, missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { engineVariables } from './runner/build-with-engine.ts';
import { repositoryRoot } from './support/environment.ts';
import { expectError } from './support/expect-error.ts';
import { dockerRegistry, testRegistry } from './support/registries.ts';
import type { RunResult } from './support/run.ts';
import { baseArchive, missingBases } from './support/scene.ts';
import { basicAuth, testUser, type User, writeDockerConfig } from './support/user.ts';

const missing = (await missingDockerRegistry()) ?? missingBases();
const engine = inject('engine');
const examples = join(repositoryRoot, 'examples/prefect');

/** The image that Prefect's automatic Dockerfile starts from. */
const prefectBase = 'prefecthq/prefect:3-python3.12';

/** Who builds. */
type EngineName = 'embedded' | 'docker' | 'buildx';

/** One user with a copy of the examples, a Docker Hub with the base image, and a registry that wants a login. */
interface Scene {
  readonly user: User;
  readonly project: string;
  readonly registry: DockerRegistry;
  readonly deploy: (file: string, ...args: readonly string[]) => Promise<RunResult>;
}

async function scene(name: EngineName = 'embedded'): Promise<Scene> {
  const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
  const hub = await dockerRegistry();
  const user = testUser();
  const project = join(user.directory, 'flows');
  mkdirSync(project);
  for (const file of readdirSync(examples)) {
    if (!file.endsWith('.yaml')) cpSync(join(examples, file), join(project, file));
    else {
      const written = readFileSync(join(examples, file), 'utf8').replaceAll(
        'repo-name/',
        `${registry.host}/repo-name/`,
      );
      // As Prefect's documentation writes it.
      const text = written.replace(
        /additional_tags: \[(v.*), (.*)\]/,
        'additional_tags: [\n          $1,\n          $2\n      ]',
      );
      // An engine has the base image here, and no Docker Hub to ask for it.
      const kept = name === 'embedded' ? text : text.replaceAll(/^( +)image_name: [^"\n]*$/gm, '$&\n$1pull: false');
      writeFileSync(join(project, file), kept);
    }
  }
  writeFileSync(
    join(project, 'boxwright.variables.yaml'),
    `blocks:
  docker-registry-credentials:
    dev-registry: {username: ${REGISTRY_USER.name}, password: ${REGISTRY_USER.password}, registry_url: "${registry.url}"}
`,
  );
  const variables: Record<string, string> = {};
  await user.runOk(['load', '--quiet', '--input', baseArchive('busybox')]);
  await user.runOk(['tag', 'e2e/busybox:1', prefectBase]);
  if (name === 'embedded') {
    await user.runOk(['push', '--quiet', 'e2e/busybox:1', `${hub.host}/${prefectBase}`]);
    const config = join(user.directory, 'registries.json');
    writeFileSync(config, JSON.stringify({ registries: { 'docker.io': { mirrors: [hub.url] } } }));
    variables['BOXWRIGHT_REGISTRIES'] = config;
  } else if ('value' in engine) {
    Object.assign(variables, engineVariables(engine.value, user.directory));
    await dockerOk(engine.value, ['tag', 'e2e/busybox:1', prefectBase]);
    onTestFinished(async () => {
      const { stdout } = await dockerOk(engine.value, ['images', '--format', '{{.Repository}}:{{.Tag}}']);
      const made = stdout
        .toString()
        .split('\n')
        .filter((image) => image.includes('/repo-name/image-name:'));
      if (made.length > 0) await docker(engine.value, ['image', 'rm', '--force', ...made]);
    });
  }
  const env = { ...user.env, ...variables };
  return {
    user,
    project,
    registry,
    deploy: (file, ...args) => user.run(['deploy', '--file', file, '--engine', name, ...args], { cwd: project, env }),
  };
}

/** As {@link Scene.deploy} with JSON; a failure is an error. */
async function deployed({ deploy }: Scene, file: string, ...args: readonly string[]): Promise<readonly Deployed[]> {
  const result = await deploy(file, '--format', 'json', ...args);
  if (result.code !== 0) throw new Error(result.stderr + result.stdout.toString());
  return JSON.parse(result.stdout.toString());
}

interface Deployed {
  readonly name: string;
  readonly state: string;
  readonly images: readonly {
    readonly tags: readonly string[];
    readonly imageId: string;
    readonly digest: string;
    readonly cached: boolean;
    readonly pushed: boolean;
  }[];
  readonly registration?: { readonly deployment: Readonly<Record<string, unknown>> };
}

function login({ user, registry }: Scene, password = REGISTRY_USER.password): void {
  writeDockerConfig(user, { auths: { [registry.host]: { auth: basicAuth(REGISTRY_USER.name, password) } } });
}

/** Tags of the repository, as the registry lists them. */
async function tags({ registry }: Scene): Promise<readonly string[]> {
  const headers = { Authorization: `Basic ${basicAuth(REGISTRY_USER.name, REGISTRY_USER.password)}` };
  const response = await fetch(`${registry.url}/v2/repo-name/image-name/tags/list`, { headers });
  const list: { readonly tags?: readonly string[] | null } = JSON.parse(await response.text());
  return (list.tags ?? []).toSorted();
}

/** What the registry holds, taken apart. */
async function pushedImage(from: Scene, tag: string): Promise<ImageSummary> {
  login(from);
  const archive = join(from.user.directory, 'pushed.tar');
  rmSync(archive, { force: true });
  const name = `docker://${from.registry.host}/repo-name/image-name:${tag}`;
  await from.user.runOk(['copy', '--quiet', name, `docker-archive:${archive}`]);
  return await summarizeArchive(archive);
}

/** The second tag of three is refused: the third is not sent any more, and the error says what is there. */
async function expectStop(name: EngineName): Promise<void> {
  const on = { method: 'PUT', path: /\/manifests\/v0\.1\.0$/ };
  const registry = await testRegistry({ faults: [{ on, times: 99, action: { kind: 'status', status: 403 } }] });
  const place = await scene(name);
  for (const file of ['push-several-tags.yaml', 'boxwright.variables.yaml']) {
    const path = join(place.project, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(place.registry.host, registry.host));
  }
  const result = await place.deploy('push-several-tags.yaml');
  expectError(
    result,
    name === 'embedded' ? /^REGISTRY_/ : /^ENGINE_|^REGISTRY_/,
    /push-several-tags\.yaml:\d+:\d+: Encountered error while running .*push_docker_image/,
    'pushed: dev; not pushed: v0.1.0, dac9',
  );
  expect(result.stdout.toString()).toMatch(/ failed .* only dev /);
  expect([...registry.content.repository('repo-name/image-name').tags.keys()]).toEqual(['dev']);
}

const examplesThatPush: readonly (readonly [file: string, tags: readonly string[]])[] = [
  ['plain.yaml', ['dev']],
  ['push-credentials.yaml', ['dev']],
  ['push-several-tags.yaml', ['dac9ccccedaa55a17916eef14f95cc7bdd3c8199', 'dev', 'v0.1.0']],
];
const examplesThatBuild = ['several-tags.yaml', 'auto.yaml', 'platform.yaml', 'persisted.yaml'];

describe.skipIf(missing !== undefined)('boxwright deploy', () => {
  it.each(examplesThatPush)('%s reaches the registry', async (file, expected) => {
    const place = await scene();
    if (file === 'plain.yaml') login(place);
    const [result] = await deployed(place, file);
    expect(result?.images).toMatchObject([{ cached: false, pushed: true, digest: expect.stringMatching(/^sha256:/) }]);
    expect(await tags(place)).toEqual(expected);
    login(place);
    for (const tag of expected) expect((await pushedImage(place, tag)).config).toBeDefined();
    const uploads = place.registry.requests().filter((line) => /^(?:PUT|PATCH|POST)/.test(line)).length;
    const [again] = await deployed(place, file);
    expect(again?.images).toMatchObject([{ cached: true, digest: result?.images[0]?.digest }]);
    expect(place.registry.requests().filter((line) => /^(?:PUT|PATCH|POST)/.test(line))).toHaveLength(uploads);
  });

  it.each(examplesThatBuild)('%s builds', async (file) => {
    const place = await scene();
    const before = readdirSync(place.project).toSorted();
    const [result] = await deployed(place, file);
    expect(result?.images).toMatchObject([{ pushed: false }]);
    const { stdout } = await place.user.runOk(['images', '--format', 'json']);
    expect(stdout.toString()).toContain(`${place.registry.host}/repo-name/image-name`);
    const after = readdirSync(place.project).toSorted();
    expect(after.filter((name) => !before.includes(name))).toEqual(
      file === 'persisted.yaml' ? ['Dockerfile.generated'] : [],
    );
    if (file === 'persisted.yaml') {
      expect(readFileSync(join(place.project, 'Dockerfile.generated'), 'utf8')).toBe(
        `FROM ${prefectBase}\nCOPY . /opt/prefect/flows/\nWORKDIR /opt/prefect/flows/\n`,
      );
    }
  });

  it('makes each image once, and says what would be registered', async () => {
    const place = await scene();
    login(place);
    const results = await deployed(place, 'deployments.yaml', '--all', '-v', 'mode=fast', '--tag', 'team-a');
    expect(results.map(({ name, state }) => `${name} ${state}`)).toEqual(['daily done', 'hourly done', 'release done']);
    const [daily, hourly, release] = results;
    expect(daily?.images[0]?.tags).toEqual(hourly?.images[0]?.tags);
    expect(release?.images[0]?.tags).toEqual(['1.10', 'latest']);
    expect(await tags(place)).toHaveLength(3);
    expect(release?.registration?.deployment).toMatchObject({
      name: 'release',
      tags: ['team-a'],
      work_pool_name: 'docker-pool',
      job_variables: { image: `${place.registry.host}/repo-name/image-name:1.10`, mode: 'fast' },
    });
    const dry = await place.deploy('deployments.yaml', 'release', '--dry-run');
    expect(dry.stdout.toString()).toContain('tag: 1.10');
  });

  it('keeps no login and shows no password', async () => {
    const place = await scene();
    const result = await place.deploy('push-credentials.yaml', '--progress', 'plain');
    expect(result.code).toBe(0);
    expect(readdirSync(join(place.user.directory, '.docker'))).toEqual([]);
    const basic = basicAuth(REGISTRY_USER.name, REGISTRY_USER.password);
    const dry = await place.deploy('push-credentials.yaml', '--dry-run');
    for (const text of [result.stderr, result.stdout.toString(), dry.stdout.toString()]) {
      expect(text).not.toContain(REGISTRY_USER.password);
      expect(text).not.toContain(basic);
    }
    expect(dry.stdout.toString()).toContain('***');
  });

  it('names step and line when a password is wrong, and pushes nothing', async () => {
    const place = await scene();
    const file = join(place.project, 'boxwright.variables.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(REGISTRY_USER.password, 'wrong horse'));
    const result = await place.deploy('push-several-tags.yaml');
    expectError(
      result,
      /^REGISTRY_(?:UNAUTHORIZED|DENIED)$/,
      /push-several-tags\.yaml:\d+:\d+: Encountered error while running .*push_docker_image/,
      'pushed: none; not pushed: dev, v0.1.0',
    );
    expect(result.stderr).not.toContain('wrong horse');
    expect(await tags(place)).toEqual([]);
  });

  it('stops at the tag that a registry refuses', async () => await expectStop('embedded'));
});

describe.skipIf(missing !== undefined || !('value' in engine))('the same files with every engine', () => {
  if (missing !== undefined || !('value' in engine)) return;
  describe.each(['docker', 'buildx'] as const)('%s', (name) => {
    it.each(examplesThatPush)('%s', async (file, expected) => {
      const place = await scene(name);
      if (file === 'plain.yaml') login(place);
      const [result] = await deployed(place, file);
      expect(result?.images).toMatchObject([{ pushed: true, digest: expect.stringMatching(/^sha256:/) }]);
      expect(await tags(place)).toEqual(expected);
      const theirs = await pushedImage(place, 'dev');
      // The same files, to the same place: only the engine is another.
      login(place);
      const again = await place.deploy(file, '--engine', 'embedded');
      expect(again.stderr).not.toContain('error:');
      expect(compareImages(theirs, await pushedImage(place, 'dev')).join('\n')).toBe('');
    });

    it('stops at the tag that a registry refuses', async () => await expectStop(name));

    it.each(examplesThatBuild)('%s', async (file) => {
      const place = await scene(name);
      const [result] = await deployed(place, file);
      expect(result?.images).toMatchObject([{ pushed: false, imageId: expect.stringMatching(/^sha256:/) }]);
    });
  });

  it('an engine that nobody runs is one clear error', async () => {
    const place = await scene();
    const env = { ...place.user.env, DOCKER_HOST: `unix://${place.user.directory}/nobody.sock` };
    const args = ['deploy', '--engine', 'docker', '--file', 'plain.yaml'];
    const result = await place.user.run(args, { cwd: place.project, env });
    expectError(result, /^ENGINE_UNREACHABLE$/, 'plain.yaml', 'build_docker_image');
  });
});

describe.skipIf(missing !== undefined)('what was pushed', () => {
  it('is whole', async () => {
    const place = await scene();
    login(place);
    await deployed(place, 'plain.yaml');
    const open = await dockerRegistry();
    const name = `${place.registry.host}/repo-name/image-name:dev`;
    await place.user.runOk(['copy', '--quiet', `docker://${name}`, `docker://${open.host}/copy:dev`]);
    expect(await findProblems(open.url, 'copy', 'dev')).toEqual([]);
  });
});
