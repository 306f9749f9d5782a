// node scripts/bench-layers.mjs [GIB…] [--write]: one look at an image with one gzip layer of 1 and 5 GiB (or of so many),
// `boxwright page` and `boxwright files` with an empty store, and `gzip -dc | sha256sum` of the same file, in turn; medians of
// three rounds, for more than 2 GiB of one.
// --write puts the table into docs/benchmarks.md. Takes some minutes, and room for the larger layer in TMPDIR.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { measure, median } from './bench/measure.mjs';
import { machineLine, writeTable } from './bench/report.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const boxwright = process.env['BOXWRIGHT_E2E_COMMAND'] ?? join(root, 'node_modules/.bin/boxwright');
const args = process.argv.slice(2);
const numbers = args.filter((arg) => !arg.startsWith('--')).map(Number);
const sizes = numbers.length === 0 ? [1, 5] : numbers;
const work = mkdtempSync(join(tmpdir(), 'boxwright-bench-'));

/** Our speed by the peer's, at least. */
const target = 0.8;
/** At most; megabytes. */
const memoryTarget = 150;

/** @type {string[][]} */
const rows = [];
try {
  for (const gibibytes of sizes) await bench(gibibytes);
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (args.includes('--write')) {
  const header = ['layer', 'command', 'boxwright', 'gzip -dc \\| sha256sum', 'speed', 'target', 'peak memory'];
  writeTable('layers', header, rows, machineLine('gzip and sha256sum of the system'));
}

/** @param {number} gibibytes */
async function bench(gibibytes) {
  const layout = join(work, 'layout');
  const blob = await writeImage(layout, Math.round(gibibytes * 2 ** 30));
  /** @type {number[]} */
  const theirs = [];
  /** @type {Map<string, { seconds: number[], peak: number }>} */
  const ours = new Map(['page', 'files'].map((command) => [command, { seconds: [], peak: 0 }]));
  const rounds = gibibytes > 2 ? 1 : 3;
  for (let round = 0; round < rounds; round++) {
    for (const [command, figures] of ours) {
      const home = join(work, 'home');
      const env = { ...process.env, BOXWRIGHT_HOME: home, NODE_OPTIONS: '' };
      const { seconds, peakMegabytes } = await measure([boxwright, command, `oci:${layout}:it`], { env });
      rmSync(home, { recursive: true, force: true });
      figures.seconds.push(seconds);
      figures.peak = Math.max(figures.peak, peakMegabytes);
    }
    theirs.push((await measure(['sh', '-c', 'gzip -dc < "$1" | sha256sum', 'sh', blob])).seconds);
  }
  for (const [command, { seconds, peak }] of ours) {
    const speed = median(theirs) / median(seconds);
    const memory = `${peak.toFixed(0)} MB`;
    rows.push([
      `${gibibytes} GiB`,
      `boxwright ${command}`,
      `${median(seconds).toFixed(1)} s`,
      `${median(theirs).toFixed(1)} s`,
      speed < target ? `**${speed.toFixed(2)}**` : speed.toFixed(2),
      `≥ ${target}`,
      peak > memoryTarget ? `**${memory}**` : memory,
    ]);
    console.log(rows.at(-1)?.join('  '));
  }
  rmSync(layout, { recursive: true, force: true });
}

/**
 * Writes an OCI layout with one image of one gzip layer, which has `size` bytes of files of all sizes; returns the path of
 * the blob. Half of every file is random, half of it text, so that it packs as programs do.
 *
 * @param {string} directory
 * @param {number} size
 */
async function writeImage(directory, size) {
  const blobs = join(directory, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const unnamed = join(directory, 'layer');
  const raw = createHash('sha256');
  const packed = createHash('sha256');
  const gzip = createGzip({ level: 1 });
  const file = createWriteStream(unnamed);
  let packedSize = 0;
  gzip.on('data', (chunk) => {
    packed.update(chunk);
    packedSize += chunk.length;
  });
  gzip.pipe(file);
  /** @param {Buffer} bytes */
  const push = async (bytes) => {
    raw.update(bytes);
    if (!gzip.write(bytes)) await once(gzip, 'drain');
  };
  const text = Buffer.alloc(1 << 19, 'Whatever is in a file of an image: "words", names and {numbers: 12345}.\n');
  for (let left = size, number = 0; left > 0; number++) {
    const length = Math.min(left, [4_000, 30_000, 300_000, 1 << 20][number % 4] ?? left);
    const content = Buffer.concat([randomBytes(length >> 1), text.subarray(0, length - (length >> 1))]);
    await push(tarHeader(`d${number % 100}/f${number}`, length));
    await push(content);
    await push(Buffer.alloc((512 - (length % 512)) % 512));
    left -= length;
  }
  await push(Buffer.alloc(1024));
  gzip.end();
  await once(file, 'close');
  const hex = packed.digest('hex');
  const blob = join(blobs, hex);
  renameSync(unnamed, blob);
  /** @param {object} document @param {string} mediaType */
  const put = (document, mediaType) => {
    const bytes = Buffer.from(JSON.stringify(document));
    const name = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, name), bytes);
    return { mediaType, digest: `sha256:${name}`, size: bytes.length };
  };
  const oci = 'application/vnd.oci.image';
  const rootfs = { type: 'layers', diff_ids: [`sha256:${raw.digest('hex')}`] };
  const history = [{ created_by: 'COPY . / # buildkit' }];
  const config = put({ architecture: 'amd64', os: 'linux', rootfs, history }, `${oci}.config.v1+json`);
  const layers = [{ mediaType: `${oci}.layer.v1.tar+gzip`, digest: `sha256:${hex}`, size: packedSize }];
  const mediaType = `${oci}.manifest.v1+json`;
  const manifest = put({ schemaVersion: 2, mediaType, config, layers }, mediaType);
  const annotations = { 'org.opencontainers.image.ref.name': 'it' };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return blob;
}

/** The header of a regular file (POSIX ustar). @param {string} name @param {number} size */
function tarHeader(name, size) {
  const header = Buffer.alloc(512);
  /** @param {number} value @param {number} digits */
  const octal = (value, digits) => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0, 100);
  header.write(`${octal(0o644, 7)}${octal(0, 7)}${octal(0, 7)}${octal(size, 11)}${octal(0, 11)}        0`, 100);
  header.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)} `, 148);
  return header;
}
