// npm run bench:registry [-- PATTERN] [-- --write]: copies, pushes and looks at images in registries on loopback, ours and
// each peer's command in turn, medians; the ratio is to the fastest peer. Peers: skopeo and crane where installed (on PATH or
// named by BOXWRIGHT_BENCH_CRANE), the Docker Engine of the end-to-end tests. Needs Debian's docker-registry.
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerOk, startEngine } from '../e2e/components/docker-engine.ts';
import { startRegistry } from './bench/docker-registry.mjs';
import { measure, median } from './bench/measure.mjs';
import { registryScenarios } from './bench/registry-scenarios.mjs';
import { machineLine, writeTable } from './bench/report.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const args = process.argv.slice(2);
const pattern = new RegExp(args.find((arg) => !arg.startsWith('--')) ?? '');
const work = mkdtempSync(join(tmpdir(), 'boxwright-bench-'));
const home = join(work, 'home');
const ourEnv = { ...process.env, BOXWRIGHT_HOME: home, NODE_OPTIONS: '' };

/** @param {string} program @returns {string | undefined} */
function installed(program) {
  const named = process.env[`BOXWRIGHT_BENCH_${program.toUpperCase()}`];
  if (named !== undefined) return named;
  return spawnSync('sh', ['-c', `command -v ${program}`])
    .stdout.toString()
    .trim();
}

/** @param {string} host @param {string} repository @param {Buffer} bytes */
async function putBlob(host, repository, bytes) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const begun = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', `http://${host}`);
  location.searchParams.set('digest', digest);
  const done = await fetch(location, { method: 'PUT', body: new Uint8Array(bytes) });
  if (done.status !== 201) throw new Error(`putting a blob: ${done.status} ${await done.text()}`);
  return { digest, size: bytes.length };
}

/** Ten layers that do not compress. @param {string} host */
async function putBigImage(host) {
  const layers = [];
  for (let index = 0; index < 10; index++) {
    const layer = await putBlob(host, 'big', randomBytes(Math.round(2 ** 30 / 10)));
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer });
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      history: layers.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'bench' })),
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await putBlob(host, 'big', config)) },
    layers,
  };
  const put = await fetch(`http://${host}/v2/big/manifests/1`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: JSON.stringify(manifest),
  });
  if (put.status !== 201) throw new Error(`putting a manifest: ${put.status} ${await put.text()}`);
}

/** Words and numbers, so that gzip has something to do and something to find. @param {string} path */
function writeCompressible(path) {
  const block = Buffer.alloc(1 << 20);
  const file = openSync(path, 'w');
  for (let index = 0; index < 1024; index++) {
    const noise = randomBytes(block.length >> 2);
    for (let at = 0, from = 0; at < block.length; at += 16, from += 4)
      block.write(`${noise.readUInt32LE(from).toString(16).padStart(8, '0')} words\n\n`.slice(0, 16), at, 'latin1');
    writeSync(file, block);
  }
}

const source = await startRegistry(work, 'source');
const target = await startRegistry(work, 'target');
const engine = await startEngine(work).catch((error) => {
  console.error(`no Docker Engine to compare with: ${error.message}`);
  return undefined;
});

/** @type {import('./bench/registry-scenarios.mjs').RegistryBench} */
const bench = {
  source: source.host,
  target: target.host,
  emptyTarget: () => rmSync(join(target.data, 'docker'), { recursive: true, force: true }),
  async freshLayer(round) {
    const context = join(work, `fresh-${round}`);
    mkdirSync(context);
    writeCompressible(join(context, 'big'));
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY big /big\n');
    const name = `${target.host}/fresh:${round}`;
    const boxwright = join(root, 'node_modules/.bin/boxwright');
    await measure([boxwright, 'build', '--quiet', '--tag', name, context], { env: ourEnv });
    rmSync(context, { recursive: true });
    if (engine === undefined) return;
    const archive = join(work, 'fresh.tar');
    await measure([boxwright, 'save', '--output', archive, name], { env: ourEnv });
    await dockerOk(engine.access, ['load', '--quiet', '--input', archive]);
    rmSync(archive);
  },
};

/** @param {readonly string[]} command @returns {[readonly string[], NodeJS.ProcessEnv] | undefined} */
function runnable([program = '', ...rest]) {
  if (program === 'boxwright') return [[join(root, 'node_modules/.bin/boxwright'), ...rest], ourEnv];
  if (program === 'docker') {
    if (engine === undefined) return undefined;
    return [[...engine.access.prefix, program, ...rest], { ...process.env, ...engine.access.env }];
  }
  const path = installed(program);
  return path === undefined || path === '' ? undefined : [[path, ...rest], process.env];
}

const rows = [];
try {
  await putBigImage(source.host);
  for (const scenario of registryScenarios.filter(({ name }) => pattern.test(name))) {
    /** @type {Map<string, number[]>} */
    const seconds = new Map();
    let memory = 0;
    for (let round = 0; round < scenario.rounds; round++) {
      await scenario.beforeRound?.(bench, round);
      for (const [index, [peer, command]] of scenario.commands(bench, round).entries()) {
        const run = runnable(command);
        if (run === undefined) continue;
        scenario.beforeCommand?.(bench);
        const result = await measure(run[0], { env: run[1] });
        if (index === 0) memory = Math.max(memory, result.peakMegabytes);
        const list = seconds.get(peer) ?? [];
        list.push(result.seconds);
        seconds.set(peer, list);
      }
    }
    const [ours, ...others] = [...seconds].map(([peer, list]) => ({ peer, seconds: median(list) }));
    const fastest = others.toSorted((a, b) => a.seconds - b.seconds)[0];
    const mine = ours?.seconds ?? Number.NaN;
    const ratio = fastest === undefined ? undefined : mine / fastest.seconds;
    rows.push([
      scenario.name,
      `${mine.toFixed(3)} s`,
      others.map((other) => `${other.peer} ${other.seconds.toFixed(3)} s`).join(', ') || '–',
      ratio === undefined ? '–' : ratio > scenario.target ? `**${ratio.toFixed(2)}**` : ratio.toFixed(2),
      `≤ ${scenario.target}`,
      `${Math.round(memory)} MB`,
    ]);
    console.log(rows.at(-1)?.join('  ·  '));
  }
} finally {
  source.stop();
  target.stop();
  await engine?.stop();
  rmSync(work, { recursive: true, force: true });
}

const header = ['scenario', 'boxwright', 'peers', 'ratio', 'target', 'peak memory'];
const machine = machineLine(`Docker ${engine?.access.version ?? 'not there'}`);
if (args.includes('--write')) writeTable('registry', header, rows, machine);
else console.log(machine);
