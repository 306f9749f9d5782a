// npm test: every vitest run of the repository; the last line says `N passed, N failed, N skipped`.
// usage: node scripts/test.mjs [unit|e2e]... (default: both; BOXWRIGHT_TEST_NODE names another Node for the unit tests)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newestNode } from './newest-node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const runs = {
  unit: {
    config: 'vitest.config.ts',
    folder: 'packages',
    node: process.env['BOXWRIGHT_TEST_NODE'] ?? newestNode(root),
  },
  e2e: { config: 'e2e/vitest.config.ts', folder: 'e2e', node: newestNode(root) },
};

/**
 * Runs vitest on all its files, or on those named.
 *
 * @returns its exit code, and what became of each file that it got to
 */
function runVitest({ config, node }, files = []) {
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-tests-'));
  const file = join(directory, 'report.json');
  try {
    const { status } = spawnSync(
      node,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...['--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
        ...files,
      ],
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    return { status: status ?? 1, results: report?.testResults ?? [] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A file whose tests have all come to an end. What failed without being a test (it does not load) has, too. */
const isOver = (file) => !file.assertionResults.some((test) => test.status === 'pending');

/**
 * When a process of vitest dies, it takes the files with it that it had not got to. These run once more, so that one crash
 * leaves no test out; a second one is a failure.
 */
function runTests(run) {
  const first = runVitest(run);
  const missing = first.status === 0 ? [] : unfinished(run.folder, first.results);
  if (missing.length === 0) return count([first]);
  console.log(`\nA test process died: ${missing.length} files had not come to their end and run again.`);
  const again = runVitest(run, missing);
  return count([{ ...first, results: first.results.filter(isOver), died: true }, again]);
}

function unfinished(folder, results) {
  const over = new Set(results.filter(isOver).map(({ name }) => name));
  return readdirSync(join(root, folder), { recursive: true })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => join(root, folder, path))
    .filter((path) => !over.has(path));
}

/** A file that does not load counts as one failure, as does a run that failed for any other reason. */
function count(runs) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, results, died = false } of runs) {
    const before = total.failed;
    for (const file of results) {
      if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
        total.failed += 1;
      for (const test of file.assertionResults) {
        if (test.status === 'passed') total.passed += 1;
        else if (test.status === 'failed') total.failed += 1;
        else total.skipped += 1;
      }
    }
    if (status !== 0 && total.failed === before && !died) total.failed += 1;
  }
  return total;
}

const wanted = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of wanted.length > 0 ? wanted : Object.keys(runs)) {
  const run = runs[name];
  if (run === undefined) {
    console.error(`unknown test run ${name}: ${Object.keys(runs).join(', ')}`);
    process.exit(2);
  }
  const counts = runTests(run);
  for (const key of Object.keys(total)) total[key] += counts[key];
}
if (total.passed + total.failed === 0) console.error('no test ran');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
