import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { temporaryDirectory } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { type DeploymentResult, deployProject, failuresOf } from '../run/deploy-project.ts';
import { fakeEngine } from '../testing/fake-engine.ts';
import { type FakePrefectServerOptions, fakeId, startFakePrefectServer } from '../testing/fake-prefect-server.ts';
import { projectOf } from '../testing/project-of.ts';
import { testStore } from '../testing/step-context.ts';
import { parseVariables } from '../variables/index.ts';
import type { PlainObject } from '../yaml/index.ts';
import { prefectRegistrar, registrationJson } from './registrar.ts';
import { prefectApi } from './request.ts';

const project = `
build:
- prefect_docker.deployments.steps.build_docker_image:
    id: build-image
    image_name: example.com/team/app
    tag: 1.10
pull:
- prefect.deployments.steps.set_working_directory:
    directory: "/opt/{{ build-image.tag }}/{{ $HERE }}/{{ prefect.variables.there }}/{{ ctx.flow_run.id }}"
deployments:
- name: daily
  version: 1.10
  entrypoint: flows/etl.py:my_etl
  tags: ["{{ build-image.tag }}", plain, 1.20]
  parameters: {n: 3, text: "{{ prefect.variables.there }}"}
  schedules:
  - {cron: "0 0 * * *", timezone: UTC, slug: nightly}
  - {interval: 3600, active: false, slug: hourly}
  concurrency_limit: {limit: 2, collision_strategy: ENQUEUE}
  work_pool:
    name: docker-pool
    work_queue_name: fast
    job_variables:
      image: "{{ build-image.image }}"
      env: {MODE: production}
`;

interface Outcome {
  readonly results: readonly DeploymentResult[];
  readonly warnings: readonly string[];
  readonly directory: string;
}

async function deploy(
  text: string,
  url: string | undefined,
  more: {
    readonly tags?: readonly string[];
    readonly jobVariables?: PlainObject;
    readonly keepPlaceholders?: boolean;
    readonly apiKey?: string;
  } = {},
): Promise<Outcome> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  mkdirSync(join(directory, 'here'));
  const { tags = [], jobVariables = {}, keepPlaceholders = false, apiKey } = more;
  const env = { HERE: 'here' };
  const warnings: string[] = [];
  const engine = fakeEngine();
  const api = url === undefined ? undefined : prefectApi({ url, apiKey });
  const results = await deployProject({
    names: [],
    all: true,
    project: projectOf(text, directory, 'prefect.yaml'),
    sources: [parseVariables('variables: {there: over-there}\nblocks: {secret: {s: {value: hidden1}}}', 'v.yaml')],
    registrar: prefectRegistrar({ api, env, tags, jobVariables, keepPlaceholders }),
    context: {
      store: testStore(),
      engine: () => engine,
      env,
      onEvent: (event) => {
        if (event.type === 'warning') warnings.push(event.message);
      },
    },
  });
  return { results, warnings, directory };
}

const expected = {
  name: 'daily',
  entrypoint: 'flows/etl.py:my_etl',
  version: '1.10',
  tags: ['1.10', 'plain', '1.20'],
  parameters: { n: 3, text: 'over-there' },
  parameter_openapi_schema: { type: 'object', properties: {} },
  schedules: [
    { active: true, slug: 'nightly', schedule: { cron: '0 0 * * *', timezone: 'UTC' } },
    { active: false, slug: 'hourly', schedule: { interval: 3600 } },
  ],
  concurrency_limit: 2,
  concurrency_options: { collision_strategy: 'ENQUEUE' },
  work_pool_name: 'docker-pool',
  work_queue_name: 'fast',
  job_variables: { image: 'example.com/team/app:1.10', env: { MODE: 'production' } },
  pull_steps: [
    {
      'prefect.deployments.steps.set_working_directory': {
        directory: '/opt/1.10/here/{{ prefect.variables.there }}/{{ ctx.flow_run.id }}',
      },
    },
  ],
};

/** As it went over the wire. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('prefectRegistrar', () => {
  it('creates, then updates', async () => {
    const server = await startFakePrefectServer();
    const { results, warnings } = await deploy(project, server.url);
    expect(failuresOf(results)).toEqual([]);
    expect(results[0]?.registration).toMatchObject({
      name: 'my-etl/daily',
      id: fakeId('deployment', 0),
      created: true,
    });
    expect(server.deployments.get('my-etl/daily')).toEqual({
      ...expected,
      flow_id: fakeId('flow', 0),
      id: fakeId('deployment', 0),
    });
    expect(warnings).toEqual([expect.stringContaining('the value that HERE has here is stored')]);
    const again = await deploy(project, server.url, { tags: ['other'], jobVariables: { image: 'x', more: 1 } });
    expect(again.results[0]?.registration).toMatchObject({ id: fakeId('deployment', 0), created: false });
    expect(server.deployments.get('my-etl/daily')).toMatchObject({
      tags: ['other'],
      job_variables: { image: 'x', more: 1, env: { MODE: 'production' } },
    });
    expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/api/work_pools/docker-pool' });
  });

  it('says what it would send', async () => {
    const { results } = await deploy(project, undefined);
    expect(plain(results[0]?.registration?.body)).toEqual(expected);
    const without = await deploy('build: {build_docker_image: {image_name: a/b}}', undefined);
    expect(without.results[0]).toMatchObject({ state: 'done', registration: undefined });
  });

  it.each<[string, FakePrefectServerOptions]>([
    ['a token against forged requests', { csrf: true }],
    ['a key', { authorization: 'Bearer key12345' }],
    ['patience', { failures: [503, 429] }],
  ])('has %s', async (_, options) => {
    const server = await startFakePrefectServer(options);
    const { results } = await deploy(project, server.url, { apiKey: 'key12345' });
    expect(failuresOf(results)).toEqual([]);
    expect(server.deployments.size).toBe(1);
  });

  it('looks at the work pools before anything runs', async () => {
    const server = await startFakePrefectServer({ pools: { old: 'prefect-agent' } });
    await expect(deploy(project, server.url)).rejects.toMatchObject({
      code: 'WORK_POOL_UNUSABLE',
      message: expect.stringContaining('Work pool "docker-pool" not found.'),
      details: { line: 21 },
    });
    await expect(deploy(project.replace('docker-pool', 'old'), server.url)).rejects.toMatchObject({
      code: 'WORK_POOL_UNUSABLE',
    });
    const nameless = project.replace('entrypoint', 'description');
    await expect(deploy(nameless, server.url)).rejects.toMatchObject({ code: 'REGISTRATION_INCOMPLETE' });
  });

  it("passes on the server's words", async () => {
    const server = await startFakePrefectServer();
    const { results } = await deploy(project, server.url, { jobVariables: { image: 1 } });
    expect(failuresOf(results)).toMatchObject([
      {
        code: 'PREFECT_API_FAILED',
        message: expect.stringContaining("422: Error creating deployment: 1 is not of type 'string'"),
      },
    ]);
    const made = await deploy(project, server.url);
    expect(failuresOf(made.results)).toEqual([]);
    const { results: again } = await deploy(project, server.url, { jobVariables: { image: 1 } });
    expect(failuresOf(again)).toMatchObject([{ message: expect.stringContaining('409: Error creating deployment') }]);
    const denied = await startFakePrefectServer({ authorization: 'Bearer other' });
    await expect(deploy(project, denied.url, { apiKey: 'key12345' })).rejects.toMatchObject({
      code: 'PREFECT_API_DENIED',
    });
    await expect(deploy(project, 'http://127.0.0.1:1/api')).rejects.toMatchObject({ code: 'PREFECT_API_UNREACHABLE' });
  });

  it('sends what it writes to a file', async () => {
    const server = await startFakePrefectServer();
    const { results } = await deploy(project, server.url);
    await deploy(project, server.url);
    const [made, changed] = server.requests
      .filter(({ path }) => /deployments\/(?!name)/.test(path))
      .map(({ body }) => body);
    const [{ registration } = { registration: undefined }] = results;
    if (registration === undefined) throw new Error('nothing was registered');
    const { deployment } = registrationJson(registration);
    expect(made).toEqual({ ...Object(plain(deployment)), flow_id: fakeId('flow', 0) });
    const { name: _name, ...rest } = Object(plain(deployment));
    expect(changed).toEqual(rest);
  });

  it('passes on a schema of parameters, and the older form of paused', async () => {
    const more =
      'parameter_openapi_schema: {type: object, properties: {n: {type: integer}}}\n  is_schedule_active: false';
    const { results } = await deploy(project.replace('version: 1.10', more), undefined);
    expect(plain(results[0]?.registration?.body)).toMatchObject({
      parameter_openapi_schema: { type: 'object', properties: { n: { type: 'integer' } } },
      paused: true,
    });
  });

  it('looks up no bare name in the environment', async () => {
    await expect(deploy(project.replace('version: 1.10', 'version: "{{ HERE }}"'), undefined)).rejects.toMatchObject({
      code: 'TEMPLATE_UNKNOWN',
      details: { line: 12 },
    });
  });

  it('says what it does not register', async () => {
    const more = 'triggers: [{type: event}]\n  sla: []\n  version_type: prefect:simple';
    const { warnings } = await deploy(project.replace('version: 1.10', more), undefined);
    expect(warnings).toContainEqual('prefect.yaml:12: triggers are not registered: make them in Prefect');
    expect(warnings).toContainEqual('prefect.yaml:14: version_type is not registered: make it in Prefect');
    expect(warnings.join()).not.toContain('sla');
  });

  it.each([
    ['interval: 3600', 'interval: soon', 'seconds'],
    [', slug: hourly', '', 'all of the schedules have a slug, or none'],
    ['cron: "0 0 * * *"', 'corn: x', 'one of cron'],
    ['cron: "0 0 * * *"', 'interval: -1', 'seconds'],
  ])('refuses schedules with %s as %j', async (from, to, words) => {
    const server = await startFakePrefectServer();
    await expect(deploy(project.replace(from, to), server.url)).rejects.toMatchObject({
      code: 'REGISTRATION_INVALID',
      message: expect.stringMatching(/^prefect\.yaml:1\d:/),
      reason: expect.stringContaining(words),
    });
    expect(server.requests).toEqual([]);
  });

  it('warns of secrets that are stored in clear', async () => {
    const text = project.replace('MODE: production', 'TOKEN: "{{ prefect.blocks.secret.s }}"');
    const { results, warnings } = await deploy(text, undefined);
    expect(warnings).toContainEqual(expect.stringContaining('prefect.blocks.secret.s holds now is stored'));
    expect(results[0]?.registration?.body['job_variables']).toMatchObject({ env: { TOKEN: 'hidden1' } });
  });

  it('leaves blocks and variables of job variables to the worker when it is asked to', async () => {
    // Nobody here has to know them.
    const token = '{{ prefect.blocks.secret.elsewhere }}';
    const text = project.replace(
      'MODE: production',
      `TOKEN: "${token}", MODE: "{{ prefect.variables.nowhere }}-{{ build-image.tag }}"`,
    );
    await expect(deploy(text, undefined)).rejects.toMatchObject({ code: 'TEMPLATE_UNKNOWN' });
    const { results, warnings } = await deploy(text, undefined, { keepPlaceholders: true });
    expect(failuresOf(results)).toEqual([]);
    expect(plain(results[0]?.registration?.body)).toMatchObject({
      parameters: { text: 'over-there' },
      job_variables: {
        image: 'example.com/team/app:1.10',
        env: { TOKEN: token, MODE: '{{ prefect.variables.nowhere }}-1.10' },
      },
    });
    expect(warnings.join()).not.toContain('in clear');
    // All else is still looked at before anything runs.
    const unknown = deploy(text.replace('build-image.image }}', 'build-imag.image }}'), undefined, {
      keepPlaceholders: true,
    });
    await expect(unknown).rejects.toMatchObject({ code: 'TEMPLATE_UNKNOWN', details: { line: 24 } });
  });

  it.each<[string, (directory: string) => unknown]>([
    ['dockerfile: auto', (directory) => [setDirectory(`/opt/prefect/${basename(directory)}`)]],
    ['dockerfile: auto\n    path: "{{ $HERE }}"', () => [setDirectory('/opt/prefect/here')]],
    ['dockerfile: Dockerfile', () => []],
  ])('has a default pull step: %s', async (dockerfile, steps) => {
    const text = project
      .replace(/pull:[^]*?deployments:/, 'deployments:')
      .replace('    tag:', `    ${dockerfile}\n    tag:`);
    const { results, directory } = await deploy(text, undefined);
    expect(plain(results[0]?.registration?.body['pull_steps'])).toEqual(steps(directory));
  });

  it('has no pull steps where the file says so', async () => {
    const { results } = await deploy(`${project}  pull: []\n`, undefined);
    expect(results[0]?.registration?.body['pull_steps']).toEqual([]);
    const none = await deploy(
      `${project.replace(/pull:[^]*?deployments:/, 'deployments:')}  pull: null\n  build: []\n`.replaceAll(
        /\{\{ build-image.(tag|image) \}\}/g,
        'x',
      ),
      undefined,
    );
    expect(plain(none.results[0]?.registration?.body['pull_steps'])).toEqual([setDirectory('/opt/prefect')]);
    const atTheTop = await deploy(`${project}  pull: null\n`, undefined);
    expect(plain(atTheTop.results[0]?.registration?.body['pull_steps'])).toEqual(expected.pull_steps);
  });
});

function setDirectory(directory: string): unknown {
  return { 'prefect.deployments.steps.set_working_directory': { directory } };
}
