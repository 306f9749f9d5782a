// Emits every package (tsc project references) and bundles the command line. Runs on any Node that npm runs on.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function run(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run(join(root, 'node_modules/tsgo/bin/tsc'), ['-b']);
run(join(root, 'scripts/bundle.mjs'), []);
