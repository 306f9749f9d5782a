import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** What a table was measured on. @param {string} peers */
export function machineLine(peers) {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${gigabytes} GiB, Linux ${release()} ${arch()}, Node ${process.version}, ${peers}; ${new Date().toISOString().slice(0, 10)}.`;
}

/**
 * Replaces the table between the marks `bench:NAME:start` and `bench:NAME:end` of docs/benchmarks.md.
 *
 * @param {string} name
 * @param {readonly string[]} header
 * @param {readonly (readonly string[])[]} rows
 * @param {string} machine
 */
export function writeTable(name, header, rows, machine) {
  const path = join(root, 'docs/benchmarks.md');
  const marks = new RegExp(`<!-- bench:${name}:(?:start|end) -->`);
  const [before = '', , after = ''] = readFileSync(path, 'utf8').split(marks);
  const lines = [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  writeFileSync(
    path,
    `${before}<!-- bench:${name}:start -->\n\n${lines.join('\n')}\n\n${machine}\n\n<!-- bench:${name}:end -->${after}`,
  );
  // The formatter aligns tables; `npm run check` holds the page to that.
  spawnSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', path], { stdio: 'inherit' });
}
