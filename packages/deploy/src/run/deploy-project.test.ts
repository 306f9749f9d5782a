import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import type { StepExecutionError } from '../steps/step-execution-error.ts';
import { type FakeEngine, fakeEngine } from '../testing/fake-engine.ts';
import { projectOf } from '../testing/project-of.ts';
import { testStore } from '../testing/step-context.ts';
import { parseVariables } from '../variables/index.ts';
import { type DeploymentResult, type DeployOptions, deployProject, failuresOf } from './deploy-project.ts';

interface Deployed {
  readonly results: readonly DeploymentResult[];
  readonly shown: string;
}

async function deploy(
  text: string,
  engine: FakeEngine,
  options: Partial<DeployOptions> = {},
  env: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Deployed> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  let shown = '';
  const results = await deployProject({
    names: [],
    all: true,
    project: projectOf(text, directory),
    sources: [],
    context: {
      store: testStore(),
      engine: () => engine,
      env: { PATH: process.env['PATH'], ...env },
      signal,
      onEvent(event) {
        shown += event.type === 'log' ? Buffer.from(event.data).toString() : JSON.stringify(event);
      },
    },
    ...options,
  });
  return { results, shown };
}

const shared = `
build:
- prefect_docker.deployments.steps.build_docker_image:
    id: build-image
    requires: prefect-docker
    image_name: example.com/team/app
push:
- prefect_docker.deployments.steps.push_docker_image:
    image_name: "{{ build-image.image_name }}"
    tag: "{{ build-image.tag }}"
deployments:
`;

describe('deployProject', () => {
  it('makes an image that ten deployments share once', async () => {
    const engine = fakeEngine({ takesMs: 10 });
    const names = Array.from({ length: 10 }, (_, index) => `- {name: d${index}}\n`).join('');
    const { results } = await deploy(shared + names, engine);
    expect(results.map(({ name, state }) => `${name} ${state}`)).toEqual(results.map((_, index) => `d${index} done`));
    expect([engine.builds.length, engine.pushes.length]).toEqual([1, 1]);
    expect(new Set(results.flatMap(({ images }) => images.flatMap(({ tags }) => tags))).size).toBe(1);
    expect(results.filter(({ images }) => images.every(({ seconds }) => seconds > 0))).toHaveLength(1);
  });

  it('runs independent deployments beside each other', async () => {
    const engine = fakeEngine({ takesMs: 30 });
    const step = (name: string): string =>
      `- {name: ${name}, push: null, build: {build_docker_image: {image_name: a/${name}, build_args: {N: ${name}}}}}\n`;
    await deploy(`deployments:\n${['a', 'b', 'c'].map(step).join('')}`, engine);
    expect(engine.most).toBe(3);
  });

  it('gives no two rows of progress the same id', async () => {
    const own = (name: string): string => `- {name: ${name}, build: {run_shell_script: {script: echo ${name}}}}\n`;
    const { shown } = await deploy(`deployments:\n${own('a')}${own('b')}`, fakeEngine());
    const ids = [...shown.matchAll(/"type":"vertex","id":"([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it('runs what may change files alone, in the order of the file', async () => {
    const engine = fakeEngine({ takesMs: 10 });
    const own = (name: string): string => `
- name: ${name}
  build:
  - run_shell_script: {script: "echo ${name} >> log", shell: true}
  - run_shell_script: {id: log, script: cat log}
  - build_docker_image: {image_name: a/app, tag: "{{ log.stdout[0] }}", build_args: {LOG: "{{ log.stdout }}"}}
`;
    await deploy(`deployments:${['a', 'b', 'c'].map(own).join('')}`, engine);
    expect(engine.most).toBe(1);
    expect(engine.builds.map(({ buildArgs }) => buildArgs.get('LOG'))).toEqual(['a', 'a\nb', 'a\nb\nc']);
  });

  it('begins nothing after a failure, and names step and line', async () => {
    const engine = fakeEngine({ refuses: ['example.com/team/app:1'] });
    const text = shared.replace('team/app\n', 'team/app\n    tag: 1\n    additional_tags: [x]\n');
    const push = '    additional_tags: "{{ build-image.additional_tags }}"\n';
    const { results } = await deploy(
      text.replace('deployments:', `${push}deployments:`) + '- {name: d1}\n- {name: d2}\n',
      engine,
      { concurrency: 1 },
    );
    expect(results.map(({ state }) => state)).toEqual(['failed', 'skipped']);
    const [failure] = failuresOf(results);
    expect(failure).toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      step: 'prefect_docker.deployments.steps.push_docker_image',
      hint: 'log in',
      details: { notPushed: ['1', 'x'], line: 10 },
    } satisfies Partial<StepExecutionError>);
    expect(String(failure)).toContain('Encountered error while running prefect_docker');
    expect(engine.pushed).toEqual([]);
  });

  it('says what was done when it is interrupted', async () => {
    const controller = new AbortController();
    const engine = fakeEngine({ takesMs: 5 });
    const push = engine.push.bind(engine);
    engine.push = (request) =>
      push({
        ...request,
        onPushed(reference, image) {
          request.onPushed(reference, image);
          controller.abort();
          controller.signal.throwIfAborted();
        },
      });
    const text = shared.replace('team/app\n', 'team/app\n    tag: 1\n    additional_tags: [x]\n');
    const tags = '    additional_tags: "{{ build-image.additional_tags }}"\n';
    const { results } = await deploy(
      `${text.replace('deployments:', `${tags}deployments:`)}- {name: d1}\n- {name: d2}\n`,
      engine,
      { concurrency: 1 },
      {},
      controller.signal,
    );
    expect(results).toMatchObject([
      { state: 'interrupted', images: [{ tags: ['1', 'x'], pushedTags: ['1'], pushed: false }] },
      { state: 'skipped', images: [] },
    ]);
    expect(failuresOf(results)).toEqual([]);
  });

  it('tells a failure that ended several deployments once', async () => {
    const engine = fakeEngine({ failsToBuild: true });
    const { results } = await deploy(`${shared}- {name: d1}\n- {name: d2}\n`, engine);
    expect(results.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(failuresOf(results)).toHaveLength(1);
    expect(engine.pushes).toEqual([]);
  });

  it('never reads what a command printed as a template', async () => {
    const engine = fakeEngine();
    const text = `
build:
- run_shell_script: {id: evil, script: "printf %s '{{ $TOKEN }}{{ prefect.variables.x }}'"}
- build_docker_image: {image_name: a/b, tag: t, build_args: {A: "{{ evil.stdout }}", B: "x {{ stdout }}"}}
`;
    // The script itself is a template; so that only its output is one, it is put together by the shell.
    const harmless = text.replace(/script: ".*"/, "script: \"printf '%s%s' '{' '{ $TOKEN }}'\"");
    const { results } = await deploy(harmless, engine, {}, { TOKEN: 'secret1' });
    expect(failuresOf(results)).toEqual([]);
    expect([...(engine.builds[0]?.buildArgs ?? [])]).toEqual([
      ['A', '{{ $TOKEN }}'],
      ['B', 'x {{ $TOKEN }}'],
    ]);
  });

  it('takes tags as they are written, whatever YAML 1.1 makes of them', async () => {
    const engine = fakeEngine();
    const text = `
build:
- build_docker_image: {id: image, image_name: a/b, tag: 1.10, additional_tags: [2026-11-21, 010, 1e3, on, 0x1F]}
push:
- push_docker_image: {image_name: a/b, tag: "{{ image.tag }}", additional_tags: "{{ image.additional_tags }}"}
`;
    expect(failuresOf((await deploy(text, engine)).results)).toEqual([]);
    const tags = ['1.10', '2026-11-21', '010', '1e3', 'on', '0x1F'].map((tag) => `docker.io/a/b:${tag}`);
    expect(engine.builds[0]?.tags).toEqual(tags);
    expect(engine.pushed).toEqual(tags);
  });

  it('shows no secret', async () => {
    const text = `
build:
- run_shell_script: {script: "echo {{ $NPM_TOKEN }} {{ prefect.blocks.secret.other }} $PASSWORD", expand_env_vars: true}
- run_shell_script: {script: "ls {{ $NPM_TOKEN }}"}
`;
    const sources = [parseVariables('blocks: {secret: {other: {value: block-secret}}}', 'variables.yaml')];
    const env = { NPM_TOKEN: 'token-secret', PASSWORD: 'never-named' };
    const { results, shown } = await deploy(text, fakeEngine(), { sources }, env);
    const failure = failuresOf(results).map(String).join();
    expect(failure).toContain('***');
    expect(shown).toContain('*** *** ***');
    for (const secret of ['token-secret', 'block-secret', 'never-named']) expect(shown + failure).not.toContain(secret);
  });

  it.each<[string, string, string]>([
    ['- {name: d, build: {build_dokcer_image: {image_name: a/b}}}', 'STEP_UNKNOWN', 'Did you mean build_docker_image?'],
    ['- {name: d, build: {my.module.step: {a: b}}}', 'STEP_UNKNOWN', 'run_shell_script'],
    ['- {name: d, build: {build_docker_image: {imagename: a/b}}}', 'STEP_INPUT_INVALID', 'Did you mean image_name?'],
    [
      '- {name: d, push: {push_docker_image: {image_name: "{{ build-imag.tag }}"}}}',
      'TEMPLATE_UNKNOWN',
      'Did you mean build-image?',
    ],
    [
      '- {name: d, build: {build_docker_image: {id: me, image_name: "{{ me.tag }}"}}}',
      'TEMPLATE_UNKNOWN',
      'before this one',
    ],
  ])('%s is refused before anything runs', async (deployment, code, hint) => {
    const engine = fakeEngine();
    const failing = deploy(`${shared}- {name: good}\n${deployment}\n`, engine);
    await expect(failing).rejects.toMatchObject({
      code,
      hint: expect.stringContaining(hint),
      frame: expect.any(String),
    });
    expect(engine.builds).toEqual([]);
  });

  it.each<[string, string]>([
    ['{build_docker_image: {image_name: a/b, tag: "{{ $NOT_SET }}"}}', 'TEMPLATE_UNKNOWN'],
    ['{build_docker_image: {image_name: "{{ prefect.variables.none }}"}}', 'TEMPLATE_UNKNOWN'],
    ['{push_docker_image: {image_name: a/b, credentials: "{{ prefect.blocks.secret.none }}"}}', 'TEMPLATE_UNKNOWN'],
    ['{push_docker_image: {image_name: a/b, tag: "{{ script.stdot }}"}}', 'TEMPLATE_UNKNOWN'],
    ['{build_docker_image: {image_name: A/b, tag: t}}', 'REFERENCE_INVALID'],
    [`{build_docker_image: {image_name: a/b, tag: ${'x'.repeat(129)}}}`, 'REFERENCE_INVALID'],
    ['{push_docker_image: {image_name: "{{ script.stdout }}", additional_tags: [ok, not/ok]}}', 'REFERENCE_INVALID'],
    ['{build_docker_image: {image_name: a/b, pull: 3}}', 'STEP_INPUT_INVALID'],
    ['{build_docker_image: {image_name: a/b, additional_tags: x}}', 'STEP_INPUT_INVALID'],
    ['{build_docker_image: {image_name: a/b, build_backend: podman}}', 'STEP_INPUT_INVALID'],
    ['{build_docker_image: {image_name: a/b, platforms: [linux/amd64, linux/arm64]}}', 'STEP_INPUT_INVALID'],
    ['{build_docker_image: {image_name: a/b, platform: "a b"}}', 'PLATFORM_INVALID'],
    ['{build_docker_image: {image_name: a/b, secrets: ["id=x,env=NOT_SET"]}}', 'STEP_INPUT_INVALID'],
    ['{build_docker_image: {image_name: a/b, squash: true}}', 'STEP_INPUT_UNSUPPORTED'],
    ['{build_docker_image: {}}', 'STEP_INPUT_INVALID'],
    ['{push_docker_image: {image_name: a/b, credentials: {username: a}}}', 'STEP_INPUT_INVALID'],
    ['{git_clone: {repository: "https://example.com/a", branch: "-x"}}', 'STEP_INPUT_INVALID'],
  ])('%s is known to be wrong before anything runs', async (step, code) => {
    const engine = fakeEngine();
    const name = /[a-z_]+/.exec(step)?.[0] ?? '';
    const text = `build:\n- build_docker_image: {image_name: a/good}\n- run_shell_script: {id: script, script: false}\n- ${step}\n`;
    await expect(deploy(text, engine)).rejects.toMatchObject({
      code,
      step: name,
      details: { line: 4, step: name },
      message: expect.stringMatching(new RegExp(`^boxwright.yaml:4:\\d+: ${name}`)),
    });
    expect(engine.builds).toEqual([]);
  });

  it.each<[string, string]>([
    ['{build_docker_image: {image_name: a/b, path: none}}', 'CONTEXT_NOT_FOUND'],
    ['{set_working_directory: {directory: none}}', 'DIRECTORY_NOT_FOUND'],
    ['{push_docker_image: {image_name: "{{ script.stdout }}", tag: x}}', 'REFERENCE_INVALID'],
    ['{push_docker_image: {image_name: a/b, tag: "x{{ script.stdout }}"}}', 'REFERENCE_INVALID'],
    ['{push_docker_image: {image_name: a/b, ignore_cache: "{{ stdout }}"}}', 'STEP_INPUT_INVALID'],
  ])('%s is known to be wrong when its turn has come', async (step, code) => {
    const engine = fakeEngine();
    const { results } = await deploy(
      `build:\n- run_shell_script: {id: script, script: "echo A/B"}\n- ${step}\n`,
      engine,
    );
    expect(failuresOf(results)).toMatchObject([
      { code, details: { line: 3 }, message: expect.stringMatching(/boxwright.yaml:3:.*Encountered error while run/) },
    ]);
    expect(engine.builds).toEqual([]);
  });

  it('goes where a step went, without moving the process', async () => {
    const engine = fakeEngine();
    const before = process.cwd();
    const text = `
build:
- run_shell_script: {script: "mkdir sub"}
- run_shell_script: {script: "cp Dockerfile sub"}
- set_working_directory: {directory: sub}
- build_docker_image: {image_name: a/b, tag: t}
`;
    const { results } = await deploy(text, engine);
    expect(failuresOf(results)).toEqual([]);
    expect(engine.builds[0]?.contextDir).toMatch(/sub$/);
    expect(process.cwd()).toBe(before);
  });
});
