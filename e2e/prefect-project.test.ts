import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingDockerRegistry, REGISTRY_USER } from './components/docker-registry.ts';
import { deployScene } from './support/deploy-scene.ts';
import { runOk } from './support/run.ts';
import { baseArchive, missingRun } from './support/scene.ts';

const missing = (await missingDockerRegistry()) ?? missingRun();

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** As people write them: anchors and merges, a commit for a tag, one place for credentials, deployments with steps of their own. */
const project = `# Welcome to your prefect.yaml file!
name: flows
prefect-version: 3.4.1

definitions:
  tags: &common_tags
    - team-a
    - "{{ commit.stdout }}"
  work_pools:
    docker: &pool
      name: docker-pool
      work_queue_name: default
      job_variables:
        image: "{{ build-image.image }}"
        env: {VERSION: "{{ build-image.tag }}", TZ: "{{ prefect.variables.zone }}"}
  actions:
    build: &build
      - prefect.deployments.steps.run_shell_script:
          id: commit
          script: git rev-parse --short HEAD
          stream_output: false
      - prefect_docker.deployments.steps.build_docker_image: &image
          id: build-image
          requires: prefect-docker>=0.3.0
          image_name: "{{ $REGISTRY }}/team/{{ prefect.variables.image }}"
          tag: "{{ commit.stdout }}"
          dockerfile: Dockerfile
          additional_tags: [latest, "v-{{ commit.stdout }}"]
          buildargs: {VERSION: "{{ commit.stdout }}"}
          secrets: ["id=token,env=BUILD_TOKEN"]
          network: none
          platform: linux/${architecture}
          pull: false

build: *build

push:
  - prefect_docker.deployments.steps.push_docker_image:
      requires: prefect-docker>=0.3.0
      image_name: "{{ build-image.image_name }}"
      tag: "{{ build-image.tag }}"
      additional_tags: "{{ build-image.additional_tags }}"
      credentials: "{{ prefect.blocks.docker-registry-credentials.dev-registry }}"

pull:
  - prefect.deployments.steps.set_working_directory:
      directory: /opt/flows

deployments:
  - &daily
    name: daily
    tags: *common_tags
    entrypoint: flow.py:my_flow
    schedule: {cron: "0 0 * * *", timezone: UTC}
    work_pool: *pool
  - <<: *daily
    name: hourly
    schedule: {interval: 3600}
  - name: release
    entrypoint: flow.py:my_flow
    work_pool:
      <<: *pool
      work_queue_name: fast
    build:
      - prefect_docker.deployments.steps.build_docker_image:
          <<: *image
          tag: 1.10
          additional_tags: []
          buildargs: {VERSION: 1.10}
  - name: elsewhere
    entrypoint: flow.py:my_flow
    build: null
    push: []
`;

describe.skipIf(missing !== undefined)('a prefect.yaml as people write it', () => {
  it('is built once for each image, pushed, and worked out for registration', async () => {
    const scene = await deployScene(
      {
        BUILD_TOKEN: 'token-of-the-build',
        BOXWRIGHT_VARIABLE_IMAGE: 'app',
        BOXWRIGHT_VARIABLE_ZONE: 'Asia/Shanghai',
      },
      'prefect.yaml',
    );
    const { user, registry } = scene;
    const { name, password } = REGISTRY_USER;
    const env = {
      ...user.env,
      // The only login: Docker's configuration has none.
      DOCKER_CONFIG: join(user.directory, 'none'),
      REGISTRY: registry.host,
      BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY: JSON.stringify({
        username: name,
        password,
        registry_url: registry.url,
      }),
    };
    writeFileSync(
      join(scene.project, 'Dockerfile'),
      'FROM e2e/busybox:1\nARG VERSION\nLABEL version=$VERSION\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token > /size\nCOPY flow.py /\n',
    );
    await user.runOk(['load', '--quiet', '--input', baseArchive('busybox')]);
    const git = async (...args: readonly string[]): Promise<string> =>
      (await runOk('git', args, { cwd: scene.project, env: { ...env, GIT_CONFIG_NOSYSTEM: '1' } })).stdout
        .toString()
        .trim();
    await git('init', '--quiet');
    await git('add', 'Dockerfile', 'flow.py');
    await git('-c', 'user.name=ann', '-c', 'user.email=ann@example.com', 'commit', '--quiet', '-m', 'First');
    const commit = await git('rev-parse', '--short', 'HEAD');

    const dry = await scene.deploy(project, ['--all', '--dry-run'], { env });
    expect(dry.stdout.toString()).toContain('    additional_tags: ["latest","v-{{ commit.stdout }}"]\n');
    expect(dry.stdout.toString()).not.toContain(password);
    const result = await scene.deploy(project, ['--all', '--format', 'json'], { env });
    expect(result.stderr).toBe('');
    const [daily, hourly, release, elsewhere] = JSON.parse(result.stdout.toString());
    expect(await scene.pushed()).toEqual(
      [commit, '1.10', 'latest', `v-${commit}`].map((tag) => `team/app:${tag}`).toSorted(),
    );
    expect(daily).toMatchObject({ state: 'done', images: [{ tags: [commit, 'latest', `v-${commit}`], pushed: true }] });
    expect(hourly).toMatchObject({ state: 'done', images: [{ digest: daily.images[0].digest, cached: true }] });
    expect(release).toMatchObject({ state: 'done', images: [{ tags: ['1.10'], pushed: true }] });
    expect(elsewhere).toMatchObject({ state: 'done', images: [] });
    const body = daily.registration.deployment;
    expect(body).toMatchObject({
      tags: ['team-a', commit],
      work_queue_name: 'default',
      job_variables: {
        image: `${registry.host}/team/app:${commit}`,
        env: { VERSION: commit, TZ: 'Asia/Shanghai' },
      },
      pull_steps: [{ 'prefect.deployments.steps.set_working_directory': { directory: '/opt/flows' } }],
    });
    expect(hourly.registration.deployment.job_variables).toEqual(body.job_variables);
    expect(release.registration.deployment).toMatchObject({
      work_queue_name: 'fast',
      job_variables: { image: `${registry.host}/team/app:1.10`, env: { VERSION: '1.10' } },
    });
    const image = `${registry.host}/team/app:${commit}`;
    expect((await user.runOk(['cat', image, '/size'])).stdout.toString().trim()).toBe('18');
    const [{ Config, Architecture }] = JSON.parse((await user.runOk(['inspect', image])).stdout.toString());
    expect([Config.Labels.version, Architecture]).toEqual([commit, architecture]);
  });
});
