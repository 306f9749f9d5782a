// npm run demo: builds examples/qr-service, shows how the image was made, and runs it. No daemon, no root where users may
// make user namespaces. What is fetched and built stays in the cache directory, so that the next time takes seconds.
// usage: npm run demo [-- --base FILE]   FILE: an image with Node and npm, as `docker save node:24-slim` writes it
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { handleSignals, Stopped, start, throwIfStopped } from './demo/children.mjs';
import { debianRootfs, distribution } from './demo/debian-packages.mjs';
import { DemoError } from './demo/demo-error.mjs';
import { checkMachine } from './demo/machine.mjs';
import { nodeBinary } from './demo/node-binary.mjs';
import { npmDirectory, npmSettings } from './demo/npm-settings.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const boxwright = join(root, 'packages/cli/bin/boxwright.mjs');
const cacheHome = process.env['XDG_CACHE_HOME']?.startsWith('/')
  ? process.env['XDG_CACHE_HOME']
  : join(homedir(), '.cache');
const cache = join(cacheHome, 'boxwright/demo');
const store = process.env['BOXWRIGHT_HOME'] ?? join(cache, 'store');
const env = { ...process.env, BOXWRIGHT_HOME: store };
const service = join(root, 'examples/qr-service');
const image = 'qr-service:demo';

function heading(text) {
  console.log(`\n== ${text}`);
}

/** Runs boxwright as a person would, after showing the command line. */
async function run(...args) {
  console.log(`$ boxwright ${args.map((arg) => arg.replaceAll(`${root}/`, '').replaceAll(cache, '…')).join(' ')}`);
  const code = await start(process.execPath, [boxwright, ...args], { stdio: 'inherit', env }).ended;
  throwIfStopped();
  if (code !== 0) throw new DemoError(`boxwright ${args[0]} failed: see above.`, hintFor(args[0]));
}

function hintFor(command) {
  return command === 'build' || command === 'run' ? '`npx boxwright doctor` tells what this machine lacks.' : undefined;
}

/** True when the demo's store has an image of that name. */
function hasImage(name) {
  return spawnSync(process.execPath, [boxwright, 'inspect', name], { stdio: 'ignore', env }).status === 0;
}

/** An image with Node and npm. */
async function makeBase(archive) {
  if (archive !== undefined) {
    await run('load', '--input', archive);
    return 'node:24-slim';
  }
  const packages = distribution().replace('-', '-packages:');
  if (!hasImage(packages)) {
    const tar = await debianRootfs(cache, (text) => console.log(`   ${text} …`));
    await run('import', tar, '--tag', packages, '--message', 'unpacked from packages with apt');
  }
  const base = 'node-base:demo';
  await run(
    ...['build', '--tag', base, '--build-arg', `DEBIAN=${packages}`],
    ...['--build-context', `node=${dirname(nodeBinary(root))}`, '--build-context', `npm=${npmDirectory(cache)}`],
    join(root, 'examples/node-base'),
  );
  return base;
}

/** Builds the service; npm inside reaches the registry that npm here is set up for. */
async function buildService(base) {
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-demo-'));
  try {
    const npmrc = join(directory, 'npmrc');
    writeFileSync(npmrc, npmSettings(), { mode: 0o600 });
    await run('build', '--tag', image, '--build-arg', `BASE=${base}`, '--secret', `id=npmrc,src=${npmrc}`, service);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A port that nothing listens on. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Starts the service from its image, asks it once, stops it. */
async function tryService() {
  const port = await freePort();
  const args = ['run', '--env', 'HOST=127.0.0.1', '--env', `PORT=${port}`, image];
  console.log(`$ boxwright ${args.join(' ')}`);
  const { child, ended } = start(process.execPath, [boxwright, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let stopping = false;
  // That it was stopped is no news to who stopped it.
  child.stderr.on('data', (chunk) => stopping || process.stderr.write(chunk));
  try {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new DemoError('The service did not start within 30 seconds.')), 30_000);
      timer.unref();
      child.stdout.on('data', (chunk) => {
        process.stdout.write(chunk);
        if (String(chunk).includes('listening')) resolve(undefined);
      });
      void ended.then((code) => reject(new DemoError(`The service ended with code ${code}.`, hintFor('run'))));
    });
    const response = await fetch(`http://127.0.0.1:${port}/qr?text=${encodeURIComponent('built without a daemon')}`);
    const body = await response.text();
    console.log(
      `GET /qr?text=… → ${response.status} ${response.headers.get('content-type')}, ${body.length} characters`,
    );
    if (!response.ok || !body.startsWith('<svg')) throw new DemoError(`That is no picture: ${body.slice(0, 200)}`);
  } finally {
    stopping = true;
    child.kill('SIGTERM');
    await ended;
    throwIfStopped();
  }
}

async function main() {
  const { values } = parseArgs({ options: { base: { type: 'string' } } });
  if (!existsSync(join(root, 'packages/cli/dist/main.js'))) {
    throw new DemoError('boxwright is not built here.', 'Run `npm ci` first.');
  }
  checkMachine([process.execPath, boxwright], env);
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const started = Date.now();

  heading('A base image with Node and npm');
  const base = await makeBase(values.base);
  heading('The service: examples/qr-service, three stages');
  await buildService(base);
  heading('How the image was made');
  await run('history', image);
  heading('Running it');
  await tryService();
  heading('The same build again: nothing has changed');
  const again = Date.now();
  await buildService(base);
  console.log(`\nThat took ${seconds(again)}, all of it ${seconds(started)}. The store is ${store}; try`);
  console.log(`  BOXWRIGHT_HOME=${store} npx boxwright images`);
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

handleSignals();
try {
  await main();
} catch (error) {
  if (error instanceof Stopped) process.exitCode = error.exitCode;
  else if (error instanceof DemoError) {
    console.error(`\n${error.message}${error.hint === undefined ? '' : `\n${error.hint}`}`);
    process.exitCode = 1;
  } else throw error;
}
