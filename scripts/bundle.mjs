// Bundles the command line into packages/cli/dist: one file to start from, the rest in chunks that load when needed.
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const packages = join(root, 'packages');
const entries = {
  main: join(packages, 'cli/src/main.ts'),
  // Worker threads are separate programs; they land beside the main chunk, where `new URL('./x.js', import.meta.url)` finds them.
  'build-worker': join(packages, 'build/src/workers/build-worker.ts'),
  'sandbox-thread': join(packages, 'build/src/sandbox/thread/sandbox-thread.ts'),
  'detect-main': join(packages, 'build/src/sandbox/detect-main.ts'),
  'unpack-thread': join(packages, 'cli/src/unpack-thread.ts'),
};
const input = Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file)));
if (!('main' in input)) process.exit(0);

rmSync(join(packages, 'cli/dist'), { recursive: true, force: true });
const bundle = await rolldown({
  input,
  platform: 'node',
  // The oldest Node that is supported does not know `using`.
  transform: { target: 'node22' },
  external: ['koffi', /^node:/],
  resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
});
await bundle.write({
  dir: join(packages, 'cli/dist'),
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  minify: false,
});
await bundle.close();
