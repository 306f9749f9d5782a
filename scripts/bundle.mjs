// Bundles the command line into packages/cli/dist: the program and its worker threads, one file each, and once more the
// commands that scripts call most often, each with nothing but what it needs. Start-up counts: finding and linking a module
// costs Node more than reading a large file whose compiled code is cached; that cache holds the functions which the first
// run of a file has used, so a file of its own serves a command best.
import { readdirSync, rmSync } from 'node:fs';
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
const ownFiles = ['build', 'copy', 'history', 'images', 'inspect', 'pull', 'push', 'tag', 'tags'];

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
 * Takes the functions of Node's larger modules from there when they are called: most commands call few of them, and loading
 * all of them takes as long as the rest of `boxwright images`. Classes would have to exist at once.
 */
const lateBuiltins = {
  name: 'late-builtins',
  transform(code, id) {
    return code.replace(
      /^import (?:(\w+)|\{([^}]*)\}) from '(node:(?:child_process|crypto|fs\/promises|timers\/promises|v8|zlib))';$/gm,
      (_statement, whole, names, module) => {
        const found = `process.getBuiltinModule('${module}')`;
        const object = (name, value) =>
          `const ${name} = /* @__PURE__ */ new Proxy({}, { get: (_, key) => ${value}[key] });`;
        if (whole !== undefined) return object(whole, found);
        const late = (name) => {
          const [given, local = given] = name.split(' as ');
          if (/^[A-Z]/.test(given)) throw new Error(`${id}: ${given} of ${module} cannot be taken late`);
          if (given === 'constants') return object(local, `${found}.constants`);
          return `function ${local}(...args) { return ${found}.${given}(...args); }`;
        };
        const values = names.split(',').map((name) => name.trim());
        return values
          .filter((name) => name !== '' && !name.startsWith('type '))
          .map(late)
          .join(' ');
      },
    );
  },
};

/**
 * Takes Node's other modules as they are instead of importing them: an ES module facade evaluates every export, lazy ones and
 * all three standard streams included, which is a fifth of the time that `boxwright images` takes.
 */
const plainBuiltins = {
  name: 'plain-builtins',
  renderChunk(code) {
    return code.replace(
      /^import (?:([\w$]+)(?:, | ))?(?:\{([^}]*)\} )?from "(node:[a-z0-9_/]+)";$/gm,
      (_statement, whole, names, id) => {
        const module = `process.getBuiltinModule("${id}")`;
        const parts = [];
        if (whole !== undefined) parts.push(`const ${whole} = ${module};`);
        if (names !== undefined) parts.push(`const {${names.replaceAll(' as ', ': ')}} = ${module};`);
        return parts.join(' ');
      },
    );
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
    plugins: [...plugins, lateBuiltins, plainBuiltins],
  });
  const { output } = await bundle.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    codeSplitting: false,
    comments: false,
    // One character beyond Latin-1 would have V8 keep two bytes for each of the file. Lines stay, for stack traces.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
  });
  await bundle.close();
  // What is left stands in templates with a tag, whose text must stay as it is.
  const beyond = output
    .map(({ code = '' }) => /[^\x00-\x7f].{0,40}/.exec(code)?.[0])
    .find((found) => found !== undefined);
  if (beyond !== undefined) throw new Error(`${name}: take this out of its template, into \${'…'}: ${beyond}`);
}

for (const [name, source] of Object.entries(programs)) await write(name, source);
for (const name of ownFiles) await write(`command-${name}`, main, [onlyCommand(name)]);
// Afterwards, so that a command which runs meanwhile finds its files.
const written = new Set([...Object.keys(programs), ...ownFiles.map((name) => `command-${name}`)]);
for (const file of readdirSync(dist))
  if (!written.has(basename(file, '.js'))) rmSync(join(dist, file), { recursive: true });
