import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findProblems, startTokenService, TestAuthority } from '../packages/oci/src/registry/testing/index.ts';
import { type DockerRegistry, missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { boxwrightPath, temporaryOf } from './support/boxwright.ts';
import { expectError } from './support/expect-error.ts';
import { Leftovers } from './support/leftovers.ts';
import { dockerRegistry } from './support/registries.ts';
import type { RunResult } from './support/run.ts';
import { baseArchive, missingRun, writeFiles } from './support/scene.ts';
import { CommandLines, filesHolding, formsOf } from './support/spilled-secrets.ts';
import { canMakeNamespaces, runWithSubordinateIds, UNPRIVILEGED_USER, whyNoOtherUser } from './support/unprivileged.ts';
import { basicAuth, testUser, type User, writeDockerConfig } from './support/user.ts';

const missing = await missingDockerRegistry();
const { name, password } = REGISTRY_USER;
const auth = basicAuth(name, password);
const secrets = formsOf(name, password);
const passphrase = 'battery staple';

/** A project with one deployment, whose image is pushed to a registry. */
function writeProject(directory: string, { host }: DockerRegistry, more: string = ''): void {
  writeFiles(directory, {
    Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
    'prefect.yaml': `build:
- prefect_docker.deployments.steps.build_docker_image:
    id: image
    image_name: ${host}/team/app
    tag: "1.10"
    dockerfile: Dockerfile
    pull: false
push:
- prefect_docker.deployments.steps.push_docker_image:
    image_name: "{{ image.image_name }}"
    tag: "{{ image.tag }}"
${more}`,
  });
}

const fromBlock = '    credentials: "{{ prefect.blocks.docker-registry-credentials.dev-registry }}"\n';

/** Errors as users see them. */
const quiet = { BOXWRIGHT_DEBUG: '' };

/** The block as JSON. */
function block({ host }: DockerRegistry): string {
  return JSON.stringify({ username: name, password, registry_url: host });
}

/** `boxwright deploy` in the project, with everything printed that can be, and nobody the wiser afterwards. */
async function deploy(
  user: User,
  project: string,
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<RunResult> {
  const lines = new CommandLines([...secrets, passphrase]);
  const options = { cwd: project, env: { ...user.env, BOXWRIGHT_DEBUG: '1', ...env }, onStart: lines.watch };
  const result = await user.run(['deploy', '--progress', 'plain', ...args], options);
  expect(lines.end()).toEqual([]);
  const output = `${result.stdout.toString()}${result.stderr}`;
  for (const secret of [...secrets, passphrase]) expect(output).not.toContain(secret);
  expect(filesHolding(user.store, secrets)).toEqual([]);
  expect(filesHolding(temporaryOf(user.store), secrets)).toEqual([]);
  return result;
}

async function expectPushed({ url }: DockerRegistry, result: RunResult): Promise<void> {
  expect(result.stderr).not.toMatch(/error:/);
  expect(result.code).toBe(0);
  expect(await findProblems(url, 'team/app', '1.10', { authorization: `Basic ${auth}` })).toEqual([]);
}

/** A Prefect server with the block, for those who know its key. */
async function prefectServer(
  document: string,
): Promise<{ readonly url: string; readonly asked: IncomingHttpHeaders[] }> {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers, url }, response) => {
    asked.push(headers);
    const path =
      '/api/block_types/slug/docker-registry-credentials/block_documents/name/dev-registry?include_secrets=true';
    if (headers.authorization !== 'Bearer pnu_e2e')
      response.writeHead(401).end('{"exception_message": "Unauthorized"}');
    else if (url === path)
      response.end(`{"data": ${document}, "block_schema": {"fields": {"secret_fields": ["password"]}}}`);
    else response.writeHead(404).end('{"detail": "Block document not found"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/api/`, asked };
}

describe.skipIf(missing !== undefined)('a block of credentials', () => {
  it.each<[string, (place: Place) => Promise<Readonly<Record<string, string>>>]>([
    [
      'the environment',
      async ({ registry }) => ({ BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY: block(registry) }),
    ],
    [
      'fields in the environment',
      async ({ registry }) => ({
        BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY__USERNAME: name,
        BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY__PASSWORD: password,
        BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY__REGISTRY_URL: registry.url,
      }),
    ],
    ['a file', async (place) => await writeBlock(place, {})],
    ['an encrypted file', async (place) => await writeBlock(place, { BOXWRIGHT_VARIABLES_PASSPHRASE: passphrase })],
    [
      'a Prefect server',
      async ({ registry }) => {
        const { url } = await prefectServer(block(registry));
        return { PREFECT_API_URL: url, PREFECT_API_KEY: 'pnu_e2e' };
      },
    ],
  ])('from %s pushes, and nobody sees the password', async (_, prepare) => {
    const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
    const user = testUser();
    const project = join(user.directory, 'project');
    writeProject(project, registry, fromBlock);
    const env = await prepare({ registry, user, project });
    await expectPushed(registry, await deploy(user, project, env));
    expect(readdirSync(join(user.directory, '.docker'))).toEqual([]);
    const dry = await deploy(user, project, env, ['--dry-run']);
    expect(dry.stdout.toString()).toContain('***');
  });

  it('stays unopened without the passphrase', async () => {
    const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
    const user = testUser();
    const project = join(user.directory, 'project');
    writeProject(project, registry, fromBlock);
    const env = await writeBlock({ registry, user, project }, { BOXWRIGHT_VARIABLES_PASSPHRASE: passphrase });
    expect(filesHolding(project, secrets)).toEqual([]);
    expectError(await deploy(user, project, quiet), /^VARIABLES_LOCKED$/, 'BOXWRIGHT_VARIABLES_PASSPHRASE');
    const wrong = { ...env, ...quiet, BOXWRIGHT_VARIABLES_PASSPHRASE: 'tr0ub4dor' };
    expectError(await deploy(user, project, wrong), /^VARIABLES_LOCKED$/, 'boxwright.variables.yaml');
    expect(registry.requests()).toEqual([]);
  });

  it('of a Prefect server is not had with another key', async () => {
    const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
    const user = testUser();
    const project = join(user.directory, 'project');
    writeProject(project, registry, fromBlock);
    const { url, asked } = await prefectServer(block(registry));
    const result = await deploy(user, project, { PREFECT_API_URL: url, PREFECT_API_KEY: 'pnu_other', ...quiet });
    expectError(result, /^PREFECT_API_DENIED$/, '401: Unauthorized', /^hint: .*PREFECT_API_KEY/m);
    expect(result.stderr).not.toContain('pnu_other');
    expect(asked.length).toBeGreaterThan(0);
  });
});

interface Place {
  readonly registry: DockerRegistry;
  readonly user: User;
  readonly project: string;
}

/** Writes the block with `boxwright variables`; returns what opens it again. */
async function writeBlock(
  { registry, user, project }: Place,
  env: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const args = [
    'variables',
    'block',
    'docker-registry-credentials/dev-registry',
    '--username',
    name,
    '--password-stdin',
  ];
  const options = { cwd: project, env: { ...user.env, ...env }, input: `${password}\n` };
  const result = await user.runOk([...args, '--registry-url', registry.host], options);
  expect(`${result.stdout.toString()}${result.stderr}`).not.toContain(password);
  return env;
}

/** A credential helper that knows the one login; it writes down what it is asked. */
function writeHelper(
  user: User,
  { host }: DockerRegistry,
): { readonly env: NodeJS.ProcessEnv; readonly asked: () => string } {
  const bin = join(user.directory, 'bin');
  mkdirSync(bin);
  const log = join(user.directory, 'helper-log');
  const answer = JSON.stringify({ ServerURL: host, Username: name, Secret: password });
  writeFileSync(
    join(bin, 'docker-credential-e2e'),
    `#!/bin/sh
read -r server
echo "$1 $server" >>'${log}'
if [ "$1 $server" = 'get ${host}' ]; then echo '${answer}'; else echo 'credentials not found in native keychain'; exit 1; fi
`,
  );
  chmodSync(join(bin, 'docker-credential-e2e'), 0o755);
  return { env: { PATH: `${bin}:${user.env['PATH']}` }, asked: () => readFileSync(log, 'utf8') };
}

describe.skipIf(missing !== undefined)("credentials of Docker's configuration", () => {
  it.each<[string, (host: string) => object]>([
    ['credsStore', () => ({ credsStore: 'e2e' })],
    ['credHelpers', (host) => ({ credHelpers: { [host]: 'e2e' } })],
  ])('come from %s', async (_, config) => {
    const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
    const user = testUser();
    const project = join(user.directory, 'project');
    writeProject(project, registry);
    writeDockerConfig(user, config(registry.host));
    const { env, asked } = writeHelper(user, registry);
    await expectPushed(registry, await deploy(user, project, env));
    expect(asked()).toContain(`get ${registry.host}\n`);
    expect(asked()).not.toMatch(/store|erase/);
    expect(filesHolding(join(user.directory, '.docker'), secrets)).toEqual([]);
  });

  it('give way to those of the step', async () => {
    const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
    const user = testUser();
    const project = join(user.directory, 'project');
    writeProject(project, registry, fromBlock);
    const config = { auths: { [registry.host]: { auth: basicAuth(name, 'stale') } } };
    writeDockerConfig(user, config);
    const env = { BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY: block(registry) };
    await expectPushed(registry, await deploy(user, project, env));
    expect(JSON.parse(readFileSync(join(user.directory, '.docker/config.json'), 'utf8'))).toEqual(config);
  });
});

describe.skipIf(missing !== undefined)('a registry with a token service', () => {
  it.each<[string, string]>([
    ['a block', fromBlock],
    ["Docker's configuration", ''],
  ])('takes what is pushed with credentials of %s', async (_, credentials) => {
    const authority = new TestAuthority();
    const signing = { ...authority.own, issuer: 'e2e' };
    const tokens = await startTokenService({ users: { [name]: password }, signing, lifeSeconds: 60 });
    onTestFinished(() => tokens.close());
    const token = { kind: 'token', realm: tokens.realm, issuer: 'e2e', certificate: authority.ca } as const;
    const registry = await dockerRegistry({ auth: token });
    const user = testUser();
    const project = join(user.directory, 'project');
    writeProject(project, registry, credentials);
    const env = { BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY: block(registry) };
    if (credentials === '') writeDockerConfig(user, { auths: { [registry.host]: { auth } } });
    const result = await deploy(user, project, env, ['--format', 'json']);
    expect(result.stderr).not.toMatch(/error:/);
    expect(JSON.parse(result.stdout.toString())).toMatchObject([{ state: 'done', images: [{ pushed: true }] }]);
    expect(registry.requests()).toContainEqual(expect.stringMatching(/^PUT \/v2\/team\/app\/manifests\/1\.10/));
    // One for pushing; the token of one step is not asked for again for each request.
    expect(tokens.requests.length).toBeGreaterThan(0);
    expect(tokens.requests.length).toBeLessThan(4);
    expect(tokens.requests.map(({ path }) => path).join()).not.toContain(password);
  });
});

const noOtherUser = await whyNoOtherUser();
const mayMakeNamespaces = noOtherUser === undefined && (await canMakeNamespaces());

/** Gives a directory and all in it to somebody. */
function give(directory: string): void {
  chownSync(directory, UNPRIVILEGED_USER, UNPRIVILEGED_USER);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) give(path);
    else chownSync(path, UNPRIVILEGED_USER, UNPRIVILEGED_USER);
  }
}

describe.skipIf(missing !== undefined || missingRun() !== undefined || noOtherUser !== undefined)(
  `without privilege${noOtherUser === undefined ? '' : ` (${noOtherUser})`}`,
  () => {
    it('builds with RUN in a user namespace, and pushes', async ({ skip }) => {
      if (!mayMakeNamespaces) skip('this kernel gives users no user namespaces');
      const registry = await dockerRegistry({ auth: { kind: 'htpasswd' } });
      const user = testUser();
      const project = join(user.directory, 'project');
      writeProject(project, registry, fromBlock);
      writeFileSync(
        join(project, 'Dockerfile'),
        'FROM e2e/busybox:1\nRUN --network=none id -u > /id && cat /proc/self/uid_map > /map\n',
      );
      mkdirSync(user.store);
      mkdirSync(temporaryOf(user.store));
      for (const directory of [user.directory, temporaryOf(user.store)]) give(directory);
      chmodSync(user.directory, 0o755);
      const env = {
        ...user.env,
        BOXWRIGHT_HOME: user.store,
        TMPDIR: temporaryOf(user.store),
        BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY: block(registry),
      };
      const as = (...args: readonly string[]): Promise<RunResult> =>
        runWithSubordinateIds(user.directory, [boxwrightPath, ...args], { cwd: project, env });
      expect((await as('load', '--quiet', '--input', baseArchive('busybox'))).stderr).not.toMatch(/error:/);
      const leftovers = new Leftovers(user.store);
      const lines = new CommandLines(secrets);
      const options = { cwd: project, env, onStart: lines.watch };
      const command = [boxwrightPath, 'deploy', '--progress', 'plain'];
      const result = await runWithSubordinateIds(user.directory, command, options);
      expect(lines.end()).toEqual([]);
      expect(result.stderr).not.toMatch(/error:/);
      expect(result.code).toBe(0);
      for (const secret of secrets) expect(`${result.stdout.toString()}${result.stderr}`).not.toContain(secret);
      expect(await findProblems(registry.url, 'team/app', '1.10', { authorization: `Basic ${auth}` })).toEqual([]);
      expect((await as('cat', `${registry.host}/team/app:1.10`, '/id')).stdout.toString()).toBe('0\n');
      const map = await as('cat', `${registry.host}/team/app:1.10`, '/map');
      expect(map.stdout.toString()).toMatch(/^\s*0\s/);
      expect(map.stdout.toString()).not.toMatch(/4294967295/);
      expect(await leftovers.find()).toEqual([]);
    });
  },
);
