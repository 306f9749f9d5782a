// Bundles the command line into packages/cli/dist: the program and its worker threads, one file each, and once more the
// commands that scripts call most often, each with nothing but what it needs. Start-up counts: finding and linking a module
// costs Node more than reading a large file, and the launcher keeps for each file the compiled code of what its runs have used.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const packages = join(root, 'packages');
const dist = join(packages, 'cli/dist');
const main = 'cli/src/main.ts';
const programs = {
  main,
  // Beside the main file, where `new URL('./NAME.js', import.meta.url)` finds them.
  'build-worker': 'build/src/workers/build-worker.ts',
  'sandbox-thread': 'build/src/sandbox/thread/sandbox-thread.ts',
  'detect-main': 'build/src/sandbox/detect-main.ts',
  'unpack-thread': 'cli/src/unpack-thread.ts',
};
/** Each is `command-NAME.js`, which the launcher looks for. */
const ownFiles = ['build', 'copy', 'deploy', 'history', 'images', 'inspect', 'pull', 'push', 'tag', 'tags'];

/** The program with one command only. @param {string} name */
const onlyCommand = (name) => ({
  name: 'only-command',
  load(id) {
    if (id !== join(packages, 'cli/src/command-table.ts')) return undefined;
    return `import { ${name}Command } from './commands/${name}.ts';
export const commandTable = new Map([['${name}', { summary: '', load: async () => ${name}Command }]]);`;
  },
});

/**
 * Takes Node's modules when something of them is used: most commands use little of the larger ones, and loading all of them
 * takes as long as the rest of `boxwright images`. Those that are there in any case, and are used a lot, stay as they are.
 */
const lateBuiltins = {
  name: 'late-builtins',
  renderChunk(code) {
    // The module is kept: `require` takes ten times as long as a look at a member, and some are used for every file.
    const late =
      'const late = (id) => { let kept; return new Proxy({}, { get: (_, name) => { kept ??= require(id); return name === "default" ? kept : kept[name]; } }); };';
    const taken = code.replace(
      /^let (\w+) = require\("(node:(?!fs"|path")[^"]+)"\);$(?:\n\1 = __toESM\(\1(?:, 1)?\);$)?/gm,
      (_statement, local, id) => `const ${local} = late("${id}");`,
    );
    return `${late}\n${taken}`;
  },
};

/** @param {string} name @param {string} source @param {readonly object[]} [plugins] */
async function write(name, source, plugins = []) {
  const bundle = await rolldown({
    input: { [name]: join(packages, source) },
    platform: 'node',
    // The oldest Node that is supported does not know `using`.
    transform: { target: 'node22' },
    external: ['koffi', /^node:/],
    resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
    plugins: [...plugins, lateBuiltins],
  });
  const { output } = await bundle.generate({
    format: 'cjs',
    entryFileNames: '[name].js',
    codeSplitting: false,
    comments: false,
    // One character beyond Latin-1 would have V8 keep two bytes for each of the file. Lines stay, for stack traces.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
  });
  await bundle.close();
  const code = output.map((chunk) => chunk.code).join('');
  // What is left stands in templates with a tag, whose text must stay as it is.
  const beyond = /[^\x00-\x7f].{0,40}/.exec(code)?.[0];
  if (beyond !== undefined) throw new Error(`${name}: take this out of its template, into \${'…'}: ${beyond}`);
  // By the digest the launcher knows whether it has compiled this very code before.
  writeFileSync(join(dist, `${name}.js`), `// ${createHash('sha256').update(code).digest('hex')}\n${code}`);
}

mkdirSync(dist, { recursive: true });
writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
for (const [name, source] of Object.entries(programs)) await write(name, source);
for (const name of ownFiles) await write(`command-${name}`, main, [onlyCommand(name)]);
// Afterwards, so that a command which runs meanwhile finds its files.
const written = new Set(['package.json', ...Object.keys(programs), ...ownFiles.map((name) => `command-${name}`)]);
for (const file of readdirSync(dist))
  if (!written.has(basename(file, '.js'))) rmSync(join(dist, file), { recursive: true });
