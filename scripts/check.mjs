// npm run check: everything that can be known without running the code. Runs all checks, then fails if one failed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newestNode } from './newest-node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const node = newestNode(root);

/** Runs one tool of node_modules with the project's Node; its output is shown only when it fails. */
function tool(script, args) {
  const result = spawnSync(node, [join(root, 'node_modules', script), ...args], { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? undefined : `${result.stdout}${result.stderr}` || String(result.error);
}

/** Runs one of our own scripts. */
function script(name, args) {
  return tool(join('..', 'scripts', name), args);
}

/** `npm ci` has to work with whatever registry a machine is set up for, so the lock file may not name one. */
function lockFileNamesNoHost() {
  const lines = readFileSync(join(root, 'package-lock.json'), 'utf8').split('\n');
  const named = lines.filter((line) => /"resolved":\s*"https?:/.test(line));
  return named.length === 0 ? undefined : `package-lock.json names a registry host:\n${named.slice(0, 5).join('\n')}`;
}

const checks = {
  'types (tsc)': () => tool('tsgo/bin/tsc', ['-p', 'tsconfig.check.json']),
  'format and import order (biome)': () =>
    tool('@biomejs/biome/bin/biome', [
      'check',
      'packages',
      'e2e',
      'scripts',
      'examples',
      'docs',
      '.dependency-cruiser.mjs',
      'vitest.config.ts',
    ]),
  'lint (oxlint)': () => tool('oxlint/bin/oxlint', ['--type-aware', '--deny-warnings']),
  'imports point downwards, no cycles (dependency-cruiser)': () =>
    tool('dependency-cruiser/bin/dependency-cruiser.mjs', ['--config', '.dependency-cruiser.mjs', 'packages', 'e2e']),
  'no unused exports, files or dependencies (knip)': () => tool('knip/bin/knip.js', []),
  'lock file names no host': lockFileNamesNoHost,
  'lock file has all platforms (scripts/complete-lock.mjs adds them)': () => script('complete-lock.mjs', ['--check']),
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const problem = check();
  console.log(`${problem === undefined ? 'ok  ' : 'FAIL'} ${name}`);
  if (problem !== undefined) {
    failed += 1;
    console.log(problem.trimEnd());
  }
}
process.exit(failed > 0 ? 1 : 0);
