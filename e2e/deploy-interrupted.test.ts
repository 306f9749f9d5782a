import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingDockerRegistry } from './components/docker-registry.ts';
import { type DeployScene, deployScene } from './support/deploy-scene.ts';
import { eventually, Leftovers, processesMentioning } from './support/leftovers.ts';
import { testRegistry } from './support/registries.ts';
import type { RunResult } from './support/run.ts';
import { baseArchive, missingRun } from './support/scene.ts';
import { killTree, whenAsleep } from './support/when-asleep.ts';

const missing = (await missingDockerRegistry()) ?? missingRun();

const signals: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
];

/** A deployment that is done before the one that waits, which is in the middle, and one that comes after it. */
function three(waiting: string): string {
  return `deployments:
- name: first
  build:
  - run_shell_script: {script: echo first}
  - build_docker_image: {image_name: HOST/team/first, tag: "1", pull: false}
  push:
  - push_docker_image: {image_name: HOST/team/first, tag: "1"}
- name: second
  build:
${waiting}- name: third
  build:
  - run_shell_script: {script: echo third}
  - build_docker_image: {image_name: HOST/team/third, tag: "1"}
`;
}

const script = `  - run_shell_script: {script: 'echo e2e-is-asleep && sleep 1000', shell: true}\n`;

/** Dockerfile of the build that waits; `dockerfile: auto` is made in a temporary place. */
const build = `  - run_shell_script: {script: echo second}
  - build_docker_image: {image_name: HOST/team/auto, tag: "1", dockerfile: auto, pull: false}
  - build_docker_image: {image_name: HOST/team/second, tag: "1", dockerfile: Sleeper, pull: false, network: none}
`;

async function readyScene(): Promise<DeployScene> {
  const scene = await deployScene({}, 'prefect.yaml');
  await scene.user.runOk(['load', '--quiet', '--input', baseArchive('busybox')]);
  await scene.user.runOk(['tag', 'e2e/busybox:1', 'prefecthq/prefect:3-python3.12']);
  writeFileSync(join(scene.project, 'Sleeper'), 'FROM e2e/busybox:1\nRUN echo e2e-is-asleep && sleep 1000\n');
  return scene;
}

describe.skipIf(missing !== undefined)('an interrupted deploy', () => {
  describe.each(signals)('by %s', (signal, exitCode) => {
    it.each([
      ['a command', script],
      ['a build', build],
    ])('during %s', async (_, waiting) => {
      const scene = await readyScene();
      const leftovers = new Leftovers(scene.user.store);
      const result = await scene.deploy(three(waiting), ['--all', '--progress', 'plain'], {
        onStart: (child) => whenAsleep(child, () => child.kill(signal)),
      });
      expectSummary(result, exitCode);
      expect(await scene.pushed()).toEqual(['team/first:1']);
      expect(await leftovers.find()).toEqual([]);
    });

    it('during a push: it says which tags are there', async () => {
      const scene = await deployScene();
      let arrived = (): void => {};
      const registry = await testRegistry({
        faults: [
          {
            on: { method: 'PUT', path: /\/manifests\/b$/ },
            action() {
              arrived();
              return { kind: 'stall' };
            },
          },
        ],
      });
      const yaml = `build:
- build_docker_image: {id: image, image_name: ${registry.host}/team/app, tag: "1", additional_tags: [a, b, c]}
push:
- push_docker_image:
    image_name: "{{ image.image_name }}"
    tag: "{{ image.tag }}"
    additional_tags: "{{ image.additional_tags }}"
`;
      const interrupted = async (...args: readonly string[]): Promise<RunResult> =>
        await scene.deploy(yaml, args, {
          onStart(child) {
            arrived = () => void child.kill(signal);
          },
        });
      const result = await interrupted();
      expect(result.stdout.toString()).toMatch(
        /^project +interrupted +\S+\/team\/app +1, a, b, c +only 1, a +sha256:/m,
      );
      expect(result.stderr).toMatch(/^error: (?:interrupted|stopped by SIGTERM) \[INTERRUPTED\]$/m);
      expect(result.signal ?? result.code).toBe(exitCode);
      expect([...registry.content.repository('team/app').tags.keys()]).toEqual(['1', 'a']);
      // The next one finds nothing in its way.
      const again = await scene.deploy(yaml, ['--format', 'json']);
      expect(JSON.parse(again.stdout.toString())).toMatchObject([
        { state: 'done', images: [{ pushed: true, pushedTags: ['1', 'a', 'b', 'c'] }] },
      ]);
      expect([...registry.content.repository('team/app').tags.keys()]).toEqual(['1', 'a', 'b', 'c']);
      expect(await new Leftovers(scene.user.store).find()).toEqual([]);
    });
  });

  it('tells programs the same', async () => {
    const scene = await readyScene();
    const result = await scene.deploy(three(script), ['--all', '--format', 'json', '--progress', 'plain'], {
      onStart: (child) => whenAsleep(child, () => child.kill('SIGINT')),
    });
    expect(JSON.parse(result.stdout.toString())).toMatchObject([
      { name: 'first', state: 'done', images: [{ pushed: true }] },
      { name: 'second', state: 'interrupted' },
      { name: 'third', state: 'skipped' },
    ]);
    const last = result.stderr.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ error: { code: 'INTERRUPTED' } });
    expect(result.code).toBe(130);
  });

  it('that was killed is in the way of nobody', async () => {
    const scene = await readyScene();
    const result = await scene.deploy(three(build), ['--all', '--progress', 'plain'], {
      onStart: (child) => whenAsleep(child, () => killTree(child)),
    });
    expect(result.signal ?? result.code).not.toBe(0);
    expect(await eventually(() => processesMentioning(scene.user.store).length === 0)).toBe(true);
    writeFileSync(join(scene.project, 'Sleeper'), 'FROM e2e/busybox:1\nRUN echo awake\n');
    const again = await scene.deploy(three(build), ['--all', '--format', 'json']);
    expect(again.stderr).toBe('');
    expect(JSON.parse(again.stdout.toString())).toMatchObject([
      { state: 'done' },
      { state: 'done' },
      { state: 'done' },
    ]);
    expect(await scene.pushed()).toEqual(['team/first:1']);
  });
});

function expectSummary(result: RunResult, exitCode: number): void {
  const summary = result.stdout.toString();
  expect(summary, result.stderr).toMatch(/^first +done +\S+\/team\/first +1 +yes +sha256:/m);
  expect(summary).toMatch(/^second +interrupted /m);
  expect(summary).toMatch(/^third +skipped /m);
  expect(result.stderr.trim().split('\n').at(-1)).toMatch(
    /^error: (?:interrupted|stopped by SIGTERM) \[INTERRUPTED\]$/,
  );
  expect(result.stderr).not.toMatch(/echo third/);
  expect(result.signal ?? result.code).toBe(exitCode);
}
