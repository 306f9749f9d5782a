// npm run bench [-- PATTERN] [-- --write]: whole commands, ours and Docker's in turn, medians.
// --write puts the table into docs/benchmarks.md. Needs root for an engine of its own, or BOXWRIGHT_E2E_DOCKER_HOST.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeBases } from '../e2e/bases/bases.ts';
import { dockerOk, startEngine } from '../e2e/components/docker-engine.ts';
import { measure, median } from './bench/measure.mjs';
import { machineLine, writeTable } from './bench/report.mjs';
import { scenarios } from './bench/scenarios.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const boxwright = join(root, 'node_modules/.bin/boxwright');
const args = process.argv.slice(2);
const write = args.includes('--write');
const pattern = new RegExp(args.find((arg) => !arg.startsWith('--')) ?? '');

const work = mkdtempSync(join(tmpdir(), 'boxwright-bench-'));
const bases = await makeBases(join(work, 'bases'));
const base = bases.archives['busybox'] ?? '';
const engine = await startEngine(work).catch((error) => {
  console.error(`no Docker Engine to compare with: ${error.message}`);
  return undefined;
});

/** Our side: a store with the base in it, copied for each cold build. */
const template = join(work, 'template');
let homes = 0;
const ours = {
  home: join(work, 'home'),
  env: () => ({ ...process.env, BOXWRIGHT_HOME: ours.home, NODE_OPTIONS: '' }),
  /** A new directory each time: ext4 without a journal avoids inodes that were freed in the last minutes, one by one. */
  reset() {
    ours.home = join(work, `home-${homes++}`);
    cpSync(template, ours.home, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  },
  /** @param {string} context */
  build: (context) =>
    measure([boxwright, 'build', '--network=none', '--progress=plain', '--tag', 'bench:1', context], {
      env: ours.env(),
    }),
};

const docker = {
  async reset() {
    if (engine === undefined) return;
    await dockerOk(engine.access, ['buildx', 'prune', '--all', '--force']);
  },
  /** @param {string} context */
  async build(context) {
    if (engine === undefined) return undefined;
    const command = [...engine.access.prefix, 'docker', 'buildx', 'build', '--provenance=false', '--network=none'];
    return measure([...command, '--progress=plain', '--tag', 'bench:1', context], {
      env: { ...process.env, ...engine.access.env },
    });
  },
};

/** Makes the store that cold builds start from: base loaded and unpacked, as an engine has it after `docker load`. */
async function makeTemplate() {
  const env = { ...process.env, BOXWRIGHT_HOME: template, NODE_OPTIONS: '' };
  await measure([boxwright, 'load', '--input', base], { env });
  const empty = join(work, 'empty');
  mkdirSync(empty);
  await measure([boxwright, 'build', '--network=none', '--file', '-', empty], {
    env,
    input: 'FROM e2e/busybox:1\nRUN true\n',
  });
  if (engine !== undefined) await dockerOk(engine.access, ['load', '--quiet', '--input', base]);
}

/** @param {import('./bench/scenarios.mjs').Scenario} scenario */
async function runScenario(scenario) {
  const context = join(
    work,
    `context-${scenarios.findIndex(({ name }) => name === (scenario.sharesContextOf ?? scenario.name))}`,
  );
  if (!prepared.has(context)) {
    mkdirSync(context);
    scenario.prepare(context);
    prepared.add(context);
  }
  if (scenario.start === 'warm') {
    ours.reset();
    await docker.reset();
    await ours.build(context);
    await docker.build(context);
  }
  /** @type {{ ours: number[], docker: number[], memory: number }} */
  const result = { ours: [], docker: [], memory: 0 };
  for (let round = 0; round < scenario.rounds; round++) {
    scenario.change?.(context, round);
    if (scenario.start === 'cold') {
      ours.reset();
      await docker.reset();
    }
    const mine = await ours.build(context);
    result.ours.push(mine.seconds);
    result.memory = Math.max(result.memory, mine.peakMegabytes);
    const theirs = await docker.build(context);
    if (theirs !== undefined) result.docker.push(theirs.seconds);
  }
  return result;
}

/** @type {Set<string>} */
const prepared = new Set();
/** @type {string[][]} */
const rows = [];
try {
  await makeTemplate();
  for (const scenario of scenarios.filter(({ name }) => pattern.test(name))) {
    const result = await runScenario(scenario);
    const mine = median(result.ours);
    const theirs = result.docker.length > 0 ? median(result.docker) : undefined;
    const ratio = theirs === undefined ? '–' : (mine / theirs).toFixed(2);
    const row = [
      scenario.name,
      `${mine.toFixed(2)} s`,
      theirs === undefined ? '–' : `${theirs.toFixed(2)} s`,
      theirs !== undefined && mine / theirs > scenario.target ? `**${ratio}**` : ratio,
      `≤ ${scenario.target}`,
      `${Math.round(result.memory)} MB`,
    ];
    rows.push(row);
    console.log(row.join('  ·  '));
  }
} finally {
  await engine?.stop();
  rmSync(work, { recursive: true, force: true });
}

const header = ['scenario', 'boxwright', 'Docker', 'ratio', 'target', 'peak memory'];
const machine = machineLine(`Docker ${engine?.access.version ?? 'not there'}`);
if (write) writeTable('build', header, rows, machine);
else console.log(machine);
