// npm test: every vitest run of the repository; the last line says `N passed, N failed, N skipped`.
// usage: node scripts/test.mjs [unit|e2e]... (default: both; BOXWRIGHT_TEST_NODE names another Node for the unit tests)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newestNode } from './newest-node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const runs = {
  unit: { config: 'vitest.config.ts', node: process.env['BOXWRIGHT_TEST_NODE'] ?? newestNode(root) },
  e2e: { config: 'e2e/vitest.config.ts', node: newestNode(root) },
};

/** Counts of one vitest run; what failed without being a test (a file that does not load) counts as one failure. */
function count(report, status) {
  let failed = 0;
  let passed = 0;
  let skipped = 0;
  for (const file of report?.testResults ?? []) {
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) failed += 1;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failed += 1;
      else skipped += 1;
    }
  }
  if (status !== 0 && failed === 0) failed = 1;
  return { passed, failed, skipped };
}

function runVitest({ config, node }) {
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-tests-'));
  const file = join(directory, 'report.json');
  try {
    const { status } = spawnSync(
      node,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...['--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
      ],
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    return count(report, status ?? 1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const wanted = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of wanted.length > 0 ? wanted : Object.keys(runs)) {
  const run = runs[name];
  if (run === undefined) {
    console.error(`unknown test run ${name}: ${Object.keys(runs).join(', ')}`);
    process.exit(2);
  }
  const counts = runVitest(run);
  for (const key of Object.keys(total)) total[key] += counts[key];
}
if (total.passed + total.failed === 0) console.error('no test ran');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
