// node scripts/bench-deploy.mjs [--write]: `boxwright deploy` with nothing changed, ten deployments sharing one image,
// and `docker build` with `docker push` once by hand, in turn, medians. Needs what bench.mjs needs, and docker-registry.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeBases } from '../e2e/bases/bases.ts';
import { dockerOk, startEngine } from '../e2e/components/docker-engine.ts';
import { startRegistry } from './bench/docker-registry.mjs';
import { measure, median } from './bench/measure.mjs';
import { machineLine, writeTable } from './bench/report.mjs';

const ROUNDS = 15;
const DEPLOYMENTS = 10;
const TARGET = 0.5;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const boxwright = join(root, 'node_modules/.bin/boxwright');
const work = mkdtempSync(join(tmpdir(), 'boxwright-bench-'));
const project = join(work, 'project');
const ourEnv = { ...process.env, BOXWRIGHT_HOME: join(work, 'home'), NODE_OPTIONS: '' };

const bases = await makeBases(join(work, 'bases'));
const base = bases.archives['busybox'] ?? '';
const registry = await startRegistry(work, 'registry');
const engine = await startEngine(work).catch((error) => {
  console.error(`no Docker Engine to compare with: ${error.message}`);
  return undefined;
});

/** A flow's project as small as they are: a Dockerfile, requirements, some files. */
function writeProject() {
  mkdirSync(join(project, 'flows'), { recursive: true });
  for (let index = 0; index < 20; index++) writeFileSync(join(project, `flows/flow_${index}.py`), `print(${index})\n`);
  writeFileSync(
    join(project, 'Dockerfile'),
    `FROM ${registry.host}/e2e/busybox:1\nWORKDIR /opt/flows\nRUN echo installed > installed\nCOPY flows ./flows\nCMD ["sh"]\n`,
  );
  const deployments = Array.from(
    { length: DEPLOYMENTS },
    (_, index) => `
  - name: flow-${index}
    entrypoint: flows/flow_${index}.py:flow
    build: *build
    push: *push
    work_pool: { name: pool, job_variables: { image: '{{ build-image.image }}' } }`,
  );
  writeFileSync(
    join(project, 'prefect.yaml'),
    `name: bench
definitions:
  build: &build
    - prefect_docker.deployments.steps.build_docker_image:
        id: build-image
        image_name: ${registry.host}/bench/ours
        tag: '1'
        dockerfile: Dockerfile
  push: &push
    - prefect_docker.deployments.steps.push_docker_image:
        image_name: '{{ build-image.image_name }}'
        tag: '{{ build-image.tag }}'
deployments:${deployments.join('')}
`,
  );
}

const ours = () => measure([boxwright, 'deploy', '--all', '--file', join(project, 'prefect.yaml')], { env: ourEnv });

async function docker() {
  if (engine === undefined) return undefined;
  const env = { ...process.env, ...engine.access.env };
  const command = [...engine.access.prefix, 'docker'];
  const name = `${registry.host}/bench/docker:1`;
  const built = await measure([...command, 'build', '--provenance=false', '--network=host', '--tag', name, project], {
    env,
  });
  const pushed = await measure([...command, 'push', name], { env });
  return built.seconds + pushed.seconds;
}

try {
  writeProject();
  // The step asks for the base each time, as Prefect's does (`pull`), so that the registry has to have it.
  const name = `${registry.host}/e2e/busybox:1`;
  await measure([boxwright, 'load', '--input', base], { env: ourEnv });
  await measure([boxwright, 'tag', 'e2e/busybox:1', name], { env: ourEnv });
  await measure([boxwright, 'push', name], { env: ourEnv });
  if (engine !== undefined) await dockerOk(engine.access, ['pull', '--quiet', name]);
  await ours();
  await docker();
  /** @type {number[]} */
  const mine = [];
  /** @type {number[]} */
  const theirs = [];
  let memory = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const result = await ours();
    mine.push(result.seconds);
    memory = Math.max(memory, result.peakMegabytes);
    const other = await docker();
    if (other !== undefined) theirs.push(other);
  }
  const ratio = median(mine) / median(theirs);
  const row = [
    `deploy, nothing changed, ${DEPLOYMENTS} deployments sharing one image`,
    `${median(mine).toFixed(3)} s`,
    theirs.length === 0 ? '–' : `${median(theirs).toFixed(3)} s`,
    theirs.length === 0 ? '–' : ratio > TARGET ? `**${ratio.toFixed(2)}**` : ratio.toFixed(2),
    `≤ ${TARGET}`,
    `${Math.round(memory)} MB`,
  ];
  console.log(row.join('  ·  '));
  const header = ['scenario', 'boxwright', 'docker build + docker push', 'ratio', 'target', 'peak memory'];
  const machine = machineLine(`Docker ${engine?.access.version ?? 'not there'}`);
  if (process.argv.includes('--write')) writeTable('deploy', header, [row], machine);
  else console.log(machine);
} finally {
  registry.stop();
  await engine?.stop();
  rmSync(work, { recursive: true, force: true });
}
