import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { engineVariables } from './runner/build-with-engine.ts';
import { type DeployScene, deployScene } from './support/deploy-scene.ts';
import { expectError } from './support/expect-error.ts';
import { dockerRegistry } from './support/registries.ts';

const missing = await missingDockerRegistry();
const docker = inject('engine');

/** Steps that are right, line 1 to 8: whatever follows must keep them from running. */
const goodSteps = `build:
- build_docker_image:
    id: good
    image_name: HOST/team/good
    tag: "1"
- push_docker_image:
    image_name: HOST/team/good
    tag: "1"
`;

/** Nothing was built, nothing was pushed, and no file was left behind. */
async function expectNothingDone({ pushed, user, project }: DeployScene): Promise<void> {
  expect(await pushed()).toEqual([]);
  expect((await user.runOk(['images', '--format', 'json'])).stdout.toString().trim()).toMatch(/^(?:\[\])?$/);
  expect(readdirSync(project).toSorted()).toEqual(['Dockerfile', 'boxwright.yaml', 'flow.py']);
}

interface BadInput {
  readonly name: string;
  /** After the good steps. */
  readonly yaml: string;
  readonly code: string;
  /** Where the error says it is. */
  readonly at: string;
  /** The step that it names. */
  readonly step?: string;
  readonly says: string | RegExp;
}

const badInputs: readonly BadInput[] = [
  {
    name: 'an unknown step',
    yaml: '- build_docker_imge: {image_name: HOST/team/bad}\n',
    code: 'STEP_UNKNOWN',
    at: '9:3',
    step: 'build_docker_imge',
    says: 'hint: Did you mean build_docker_image?',
  },
  {
    name: 'a Python function',
    yaml: '- my_company.steps.upload: {bucket: x}\n',
    code: 'STEP_UNKNOWN',
    at: '9:3',
    step: 'my_company.steps.upload',
    says: 'Python functions are not run',
  },
  {
    name: 'an unknown input',
    yaml: '- push_docker_image:\n    image_name: HOST/team/good\n    aditional_tags: [a]\n',
    code: 'STEP_INPUT_INVALID',
    at: '11:5',
    step: 'push_docker_image',
    says: 'hint: Did you mean additional_tags?',
  },
  {
    name: 'inputs in the column of their step',
    yaml: '- push_docker_image:\n  image_name: HOST/team/good\n',
    code: 'STEP_INVALID',
    at: '10:3',
    step: 'push_docker_image',
    says: 'put two more blanks before each',
  },
  {
    name: 'an input of the wrong type',
    yaml: '- push_docker_image:\n    image_name: HOST/team/good\n    additional_tags: v1\n',
    code: 'STEP_INPUT_INVALID',
    at: '11:22',
    step: 'push_docker_image',
    says: 'additional_tags must be a list of texts, not text',
  },
  {
    name: 'a mapping for text',
    yaml: 'push:\n- push_docker_image: {image_name: {a: b}}\n',
    code: 'STEP_INPUT_INVALID',
    at: '10:35',
    step: 'push_docker_image',
    says: 'image_name must be text, not a mapping',
  },
  {
    name: 'an input that is required',
    yaml: '- push_docker_image: {tag: "1"}\n',
    code: 'STEP_INPUT_INVALID',
    at: '9:22',
    step: 'push_docker_image',
    says: 'needs image_name',
  },
  {
    name: 'a placeholder of a step that does not exist',
    yaml: '- push_docker_image:\n    image_name: "{{ godo.image_name }}"\n',
    code: 'TEMPLATE_UNKNOWN',
    at: '10:18',
    step: 'push_docker_image',
    says: 'hint: Did you mean good?',
  },
  {
    name: 'a placeholder of a step that has not run yet',
    yaml: '- push_docker_image: {image_name: "{{ later.image_name }}"}\npush:\n- push_docker_image: {id: later, image_name: a/b}\n',
    code: 'TEMPLATE_UNKNOWN',
    at: '9:36',
    step: 'push_docker_image',
    says: 'later comes later, in line 11',
  },
  {
    name: 'a result that a step does not have',
    yaml: '- push_docker_image: {image_name: "{{ good.image_nam }}"}\n',
    code: 'TEMPLATE_UNKNOWN',
    at: '9:36',
    step: 'push_docker_image',
    says: 'hint: Did you mean image_name?',
  },
  {
    name: 'an environment variable that is not set',
    yaml: '- push_docker_image: {image_name: HOST/team/good, tag: "v{{ $RELEASE_HERE }}"}\n',
    code: 'TEMPLATE_UNKNOWN',
    at: '9:',
    step: 'push_docker_image',
    says: 'there is no environment variable RELEASE_HERE',
  },
  {
    name: 'a variable that is nowhere',
    yaml: '- push_docker_image: {image_name: "HOST/{{ prefect.variables.team }}"}\n',
    code: 'TEMPLATE_UNKNOWN',
    at: '9:',
    step: 'push_docker_image',
    says: 'BOXWRIGHT_VARIABLE_TEAM',
  },
  {
    name: 'a block that is nowhere',
    yaml: '- push_docker_image:\n    image_name: HOST/team/good\n    credentials: "{{ prefect.blocks.docker-registry-credentials.dev }}"\n',
    code: 'TEMPLATE_UNKNOWN',
    at: '11:19',
    step: 'push_docker_image',
    says: 'BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV',
  },
  {
    name: 'an image name with capitals',
    yaml: '- push_docker_image: {image_name: HOST/Team/App}\n',
    code: 'REFERENCE_INVALID',
    at: '9:35',
    step: 'push_docker_image',
    says: /hint: Write 127\.0\.0\.1:\d+\/team\/app\./,
  },
  {
    name: 'a tag of more than 128 characters',
    yaml: `- push_docker_image:\n    image_name: HOST/team/good\n    tag: ${'a'.repeat(129)}\n`,
    code: 'REFERENCE_INVALID',
    at: '11:10',
    step: 'push_docker_image',
    says: 'the tag has more than 128 characters',
  },
  {
    name: 'such a tag among the additional ones',
    yaml: `- push_docker_image:\n    image_name: HOST/team/good\n    additional_tags: [ok, ${'a'.repeat(129)}]\n`,
    code: 'REFERENCE_INVALID',
    at: '11:22',
    step: 'push_docker_image',
    says: 'the tag has more than 128 characters',
  },
  {
    name: 'a tab',
    yaml: 'push:\n\t- push_docker_image: {image_name: HOST/team/good}\n',
    code: 'YAML_SYNTAX',
    at: '10:1',
    says: 'replace the tab',
  },
  {
    name: 'a key that is there twice',
    yaml: '- push_docker_image:\n    image_name: HOST/team/good\n    tag: a\n    tag: b\n',
    code: 'YAML_SYNTAX',
    at: '12:5',
    says: 'the key tag is there twice; the first is in line 11',
  },
  {
    name: 'an anchor that holds itself',
    yaml: 'definitions: &all\n  steps: [*all]\n',
    code: 'YAML_SYNTAX',
    at: '10:11',
    says: 'the alias *all is inside of what it stands for',
  },
  {
    name: 'an anchor that merges itself',
    yaml: 'definitions: &all\n  <<: *all\n',
    code: 'YAML_SYNTAX',
    at: '10:7',
    says: 'the alias *all is inside of what it stands for',
  },
];

describe.skipIf(missing !== undefined)('boxwright deploy refuses before it does anything', () => {
  it.each(badInputs)('$name', async ({ yaml, code, at, step = '', says }) => {
    const scene = await deployScene();
    for (const args of [[], ['--dry-run']]) {
      const result = await scene.deploy(goodSteps + yaml, args);
      expectError(result, new RegExp(`^${code}$`), `boxwright.yaml:${at}`, step, says);
      expect(result.stdout.toString()).toBe('');
    }
    const json = await scene.deploy(goodSteps + yaml, ['--format', 'json']);
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code, file: 'boxwright.yaml', details: { line: Number.parseInt(at, 10) } },
    });
    expect([json.code, json.stdout.toString()]).toEqual([1, '']);
    await expectNothingDone(scene);
  });

  it.each([
    ['{{ $NOT_SET_HERE }}', /there is no environment variable NOT_SET_HERE/],
    ['{{ god.image }}', /hint: Did you mean good\?/],
  ])('%s in what would be registered', async (placeholder, says) => {
    const scene = await deployScene();
    const yaml = `${goodSteps}deployments:
- name: daily
  entrypoint: flow.py:my_flow
  work_pool: {name: pool, job_variables: {image: "${placeholder}"}}
`;
    for (const args of [[], ['--dry-run']]) {
      expectError(await scene.deploy(yaml, args), /^TEMPLATE_UNKNOWN$/, 'boxwright.yaml:12:', says);
    }
    await expectNothingDone(scene);
    // Without a pool nothing is registered, so that it does not matter.
    expect((await scene.deploy(yaml.replace('name: pool, ', ''))).code).toBe(0);
  });

  it('what is wrong with another deployment', async () => {
    const scene = await deployScene();
    const yaml = `${goodSteps}deployments:\n- name: one\n- name: two\n  push: {push_docker_image: {image_name: HOST/Team}}\n`;
    expectError(await scene.deploy(yaml, ['--all']), /^REFERENCE_INVALID$/, 'boxwright.yaml:12:', 'push_docker_image');
    await expectNothingDone(scene);
    expect((await scene.deploy(yaml, ['one'])).code).toBe(0);
    expect(await scene.pushed()).toEqual(['team/good:1']);
  });
});

const buildAndPush = `build:
- build_docker_image:
    id: image
    image_name: HOST/team/app
    tag: "1"
    additional_tags: [a, b]
push:
- push_docker_image:
    image_name: "{{ image.image_name }}"
    tag: "{{ image.tag }}"
    additional_tags: "{{ image.additional_tags }}"
`;

describe.skipIf(missing !== undefined)('boxwright deploy stops at what only shows when it is done', () => {
  it('a wrong password', async () => {
    const scene = await deployScene({
      BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV: JSON.stringify({ username: 'ann', password: 'wrong horse' }),
    });
    const yaml = `${buildAndPush}    credentials:
      username: "{{ prefect.blocks.docker-registry-credentials.dev.username }}"
      password: "{{ prefect.blocks.docker-registry-credentials.dev.password }}"
      registry_url: HOST
`;
    const result = await scene.deploy(yaml);
    expectError(
      result,
      /^REGISTRY_UNAUTHORIZED$/,
      'boxwright.yaml:8:3: Encountered error while running push_docker_image',
      'pushed: none; not pushed: 1, a, b',
    );
    expect(result.stdout.toString()).toMatch(/^project +failed +\S+\/team\/app +1, a, b +no /m);
    expect(result.stderr + result.stdout.toString()).not.toContain('wrong horse');
    expect(await scene.pushed()).toEqual([]);
  });

  it('a registry that is read-only', async () => {
    const scene = await deployScene();
    const registry = await dockerRegistry({ readOnly: true });
    const result = await scene.deploy(buildAndPush.replace('HOST', registry.host));
    expectError(
      result,
      /^REGISTRY_/,
      'boxwright.yaml:8:3: Encountered error while running push_docker_image',
      /hint: .*read-only/,
      'pushed: none; not pushed: 1, a, b',
    );
    // Only asked: no upload was begun a second time.
    expect(registry.requests().filter((line) => /^(?:PUT|PATCH)/.test(line))).toEqual([]);
  });

  it.skipIf(!('value' in docker)).each(['docker', 'buildx'])('no daemon for the engine %s', async (engine) => {
    const scene = await deployScene();
    const variables = 'value' in docker ? engineVariables(docker.value, scene.user.directory) : {};
    const env = { ...scene.user.env, ...variables, DOCKER_HOST: `unix://${scene.user.directory}/nobody.sock` };
    const result = await scene.deploy(buildAndPush, ['--engine', engine], { env });
    expectError(
      result,
      /^ENGINE_UNREACHABLE$/,
      'boxwright.yaml:2:3: Encountered error while running build_docker_image',
      'nobody.sock',
      /hint: .*embedded/,
    );
    expect(await scene.pushed()).toEqual([]);
  });

  it('tells of several deployments what became of each', async () => {
    const scene = await deployScene();
    const one = (name: string, script: string): string => `- name: ${name}
  build:
  - run_shell_script: {script: ${script}}
  - build_docker_image: {id: image, image_name: HOST/team/${name}, tag: "1", buildargs: {TEXT: ${name}}}
  push:
  - push_docker_image: {image_name: HOST/team/${name}, tag: "1"}
`;
    const yaml = `deployments:\n${one('first', 'echo fine')}${one('second', 'ls /none')}${one('third', 'echo fine')}`;
    const result = await scene.deploy(yaml, ['--all', '--progress', 'plain']);
    // A command that failed has shown why above.
    expect(result.stderr).toMatch(/^ERROR: boxwright\.yaml:10:5: .*run_shell_script.*\[COMMAND_FAILED\]$/m);
    expect(result.stdout.toString()).toMatch(/^first +done +\S+\/team\/first +1 +yes +sha256:/m);
    expect(result.stdout.toString()).toMatch(/^second +failed +/m);
    expect(result.stdout.toString()).toMatch(/^third +skipped +/m);
    expect(result.code).toBe(1);
    expect(await scene.pushed()).toEqual(['team/first:1']);
    const json = await scene.deploy(yaml, ['--all', '--format', 'json']);
    expect(JSON.parse(json.stdout.toString())).toMatchObject([
      { name: 'first', state: 'done', images: [{ pushed: true, pushedTags: ['1'], cached: true }] },
      { name: 'second', state: 'failed', images: [], error: { code: 'COMMAND_FAILED' } },
      { name: 'third', state: 'skipped', images: [] },
    ]);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'COMMAND_FAILED', details: { line: 10 } } });
  });
});

describe.skipIf(missing !== undefined)('boxwright deploy reads what is written, once', () => {
  const payload = '{{ prefect.variables.v }}{{ $MY_PASSWORD }}{{ other.stdout }}{{ prefect.blocks.secret.s }}';

  it.each<[string, string]>([
    ['a command', '{{ evil.stdout }}'],
    ['a command, by the name of the result', '{{ stdout }}'],
    ['the environment', '{{ $EVIL }}'],
    ['a variable', '{{ prefect.variables.evil }}'],
    ['a block', '{{ prefect.blocks.json.evil.value }}'],
  ])('and not what came from %s', async (_, placeholder) => {
    const scene = await deployScene({
      EVIL: payload,
      MY_PASSWORD: 'never-to-be-seen',
      BOXWRIGHT_VARIABLE_EVIL: payload,
      BOXWRIGHT_BLOCK_JSON__EVIL: JSON.stringify({ value: payload }),
      BOXWRIGHT_VARIABLE_V: 'never-to-be-seen',
      BOXWRIGHT_BLOCK_SECRET__S: JSON.stringify({ value: 'never-to-be-seen' }),
    });
    writeFileSync(join(scene.project, 'evil.txt'), payload);
    // A step's result, part of a text, a mapping's value, a step after one that repeats it.
    const yaml = `build:
- run_shell_script: {id: other, script: echo never-to-be-seen, stream_output: false}
- run_shell_script: {id: evil, script: cat evil.txt}
- run_shell_script: {id: again, script: 'printf %s "${placeholder}"', shell: false}
- build_docker_image:
    id: image
    image_name: HOST/team/app
    tag: "1"
    buildargs: {TEXT: "${placeholder}"}
    labels: {whole: "${placeholder}", part: "a ${placeholder}", again: "{{ again.stdout }}"}
push:
- push_docker_image: {image_name: "{{ image.image_name }}", tag: "{{ image.tag }}"}
deployments:
- name: daily
  entrypoint: flow.py:my_flow
  description: "${placeholder}"
  tags: ["${placeholder}"]
  parameters: {text: "${placeholder}"}
  work_pool: {name: pool, job_variables: {image: "{{ image.image }}"}}
`;
    const result = await scene.deploy(yaml, ['--format', 'json', '--progress', 'plain']);
    expect(result.stderr).not.toContain('never-to-be-seen');
    expect(result.code).toBe(0);
    const [deployment] = JSON.parse(result.stdout.toString());
    expect(deployment.registration.deployment).toMatchObject({
      description: payload,
      tags: [payload],
      parameters: { text: payload },
    });
    const inspected = await scene.user.runOk(['inspect', `${scene.registry.host}/team/app:1`]);
    const [{ Config }] = JSON.parse(inspected.stdout.toString());
    expect(Config.Labels).toMatchObject({ text: payload, whole: payload, part: `a ${payload}`, again: payload });
  });

  it.each<[string, string]>([
    ['job variables', 'job_variables: {env: {TEXT: "x {{ evil.stdout }}"}}'],
    ['pull steps', '}\n  pull:\n  - set_working_directory: {directory: "{{ evil.stdout }}"}\n  x-rest: {'],
  ])('and lets no worker read it in %s', async (_, rest) => {
    const scene = await deployScene();
    writeFileSync(join(scene.project, 'evil.txt'), '{{ prefect.blocks.secret.s }}');
    const yaml = `build:
- run_shell_script: {id: evil, script: cat evil.txt}
deployments:
- name: daily
  entrypoint: flow.py:my_flow
  work_pool: {name: pool, ${rest}}
`;
    const result = await scene.deploy(yaml);
    expectError(result, /^TEMPLATE_VALUE$/, 'boxwright.yaml:', '{{ prefect.blocks.secret.s }}');
  });
});

describe.skipIf(missing !== undefined)('boxwright deploy shows no secrets', () => {
  const secrets = ['block-horse', 'env-horse', 'inline-horse', 'flag-horse', 'json-horse', REGISTRY_USER.password];

  it('in no way of running it', async () => {
    const scene = await deployScene({
      DEPLOY_TOKEN: 'env-horse',
      BOXWRIGHT_BLOCK_SECRET__S: JSON.stringify({ value: 'block-horse' }),
    });
    writeFileSync(
      join(scene.project, 'show.sh'),
      'echo $DEPLOY_TOKEN; echo "$1 $SOME_TOKEN" | tee /dev/stderr; exit $2\n',
    );
    const yaml = `build:
- run_shell_script:
    id: shown
    script: sh show.sh "{{ prefect.blocks.secret.s }}" EXIT
    env: {SOME_TOKEN: inline-horse}
- build_docker_image: {id: image, image_name: HOST/team/app, tag: "1", labels: {api_key: "{{ $DEPLOY_TOKEN }}"}}
push:
- push_docker_image:
    image_name: "{{ image.image_name }}"
    tag: TAG
    credentials: {username: ${REGISTRY_USER.name}, password: ${REGISTRY_USER.password}, registry_url: HOST}
deployments:
- name: daily
  entrypoint: flow.py:my_flow
  work_pool: {name: pool, job_variables: {env: {FILE_TOKEN: "{{ prefect.blocks.secret.s }}"}}}
`;
    const good = yaml.replace('EXIT', '0').replace('TAG', '"1"');
    const variables = ['-v', 'api_token=flag-horse', '-v', '{"env": {"JSON_PASSWORD": "json-horse"}}'];
    const runs: readonly (readonly [yaml: string, args: readonly string[], code: number])[] = [
      [good, ['--progress', 'plain', ...variables], 0],
      [good, ['--format', 'json', '--progress', 'plain', ...variables], 0],
      [good, ['--dry-run'], 0],
      [good, ['--dry-run', '--format', 'json'], 0],
      [yaml.replace('EXIT', '3').replace('TAG', '"1"'), ['--progress', 'plain', ...variables], 1],
      [yaml.replace('EXIT', '3').replace('TAG', '"1"'), ['--format', 'json', ...variables], 1],
      [yaml.replace('EXIT', '0').replace('TAG', 'none'), ['--format', 'json', ...variables], 1],
      [good.replace('password: c', 'passwort: c'), [], 1],
      [good.replace('registry_url: HOST', 'registry_url: HOST, x: y'), [], 1],
      [good.replace('{SOME_TOKEN: inline-horse}', '{SOME_TOKEN: inline-horse, SOME_TOKEN: x}'), [], 1],
      [good, ['-v', '{"env": {"JSON_PASSWORD": "json-horse"}'], 2],
      [good, ['-v', 'flag-horse'], 2],
    ];
    for (const [text, args, code] of runs) {
      const result = await scene.deploy(text, args);
      const shown = `${result.stderr}${result.stdout.toString()}`;
      expect(result.code, `${args.join(' ')}\n${shown}`).toBe(code);
      for (const secret of secrets) {
        // A name that is misspelt in the file is no name of a secret; only the value beside it is.
        if (text.includes(`passwort: ${secret}`)) continue;
        expect(shown, `${args.join(' ')}\n${shown}`).not.toContain(secret);
      }
    }
    expect(await scene.pushed()).toEqual(['team/app:1']);
  });
});
