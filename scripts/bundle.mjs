// Bundles the command line into packages/cli/dist: the program and its worker threads, one file each. Start-up counts, and
// finding and linking a module costs Node more than reading a large file whose compiled code is cached.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const packages = join(root, 'packages');
const dist = join(packages, 'cli/dist');
const programs = {
  main: 'cli/src/main.ts',
  // Beside the main file, where `new URL('./NAME.js', import.meta.url)` finds them.
  'build-worker': 'build/src/workers/build-worker.ts',
  'sandbox-thread': 'build/src/sandbox/thread/sandbox-thread.ts',
  'detect-main': 'build/src/sandbox/detect-main.ts',
  'unpack-thread': 'cli/src/unpack-thread.ts',
};

/**
 * Takes Node's own modules as they are instead of importing them: an ES module facade evaluates every export, lazy ones and
 * all three standard streams included, which is a fifth of the time that `boxwright images` takes.
 */
const plainBuiltins = {
  name: 'plain-builtins',
  renderChunk(code) {
    return code.replace(
      /^import (?:([\w$]+)(?:, | ))?(?:\{([^}]*)\} )?from "(node:[a-z_/]+)";$/gm,
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

rmSync(dist, { recursive: true, force: true });
for (const [name, source] of Object.entries(programs)) {
  const bundle = await rolldown({
    input: { [name]: join(packages, source) },
    platform: 'node',
    // The oldest Node that is supported does not know `using`.
    transform: { target: 'node22' },
    external: ['koffi', /^node:/],
    resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
    plugins: [plainBuiltins],
  });
  await bundle.write({ dir: dist, format: 'esm', entryFileNames: '[name].js', codeSplitting: false });
  await bundle.close();
}
