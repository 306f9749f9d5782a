import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { ImageStore, type TarEntry, TarWriter, toByteString } from '@boxwright/oci';
import { sha256, startTestRegistry, type TestRegistry } from '@boxwright/oci/testing';
import { programLike, temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { CapturedOutput } from '../testing/captured-output.ts';
import { putImage } from '../testing/store-with-image.ts';
import { testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
let directory: string;
let registry: TestRegistry;

beforeEach(async () => {
  directory = temporaryDirectory();
  registry = await startTestRegistry();
});
afterEach(() => registry.close());

interface Ran {
  readonly code: number;
  readonly out: Buffer;
  readonly errors: string;
}

/** Runs a command line with a store of its own; all output, however it was written. */
async function cli(args: readonly string[], terminal = false): Promise<Ran> {
  const stream = new PassThrough();
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  const base = testContext({ env: { HOME: directory, BOXWRIGHT_HOME: join(directory, 'store') }, cwd: directory });
  const stdout = new CapturedOutput(terminal ? { columns: 80, rows: 24 } : undefined);
  const context = { ...base, stdout, openStdout: () => stream };
  const returned = await runCli(args, context);
  const code = returned === 0 ? (base.exitCodes.at(-1) ?? 0) : returned;
  stream.end();
  return { code, out: Buffer.concat([Buffer.from(stdout.text), ...pieces]), errors: base.stderr.text };
}

async function ok(...args: readonly string[]): Promise<string> {
  const { code, out, errors } = await cli(args);
  expect(errors).not.toContain('error:');
  expect(code).toBe(0);
  return out.toString();
}

type File = readonly [path: string, content: string | Uint8Array, rest?: Partial<TarEntry>];

function tarOf(files: readonly File[]): Buffer {
  const parts: Buffer[] = [];
  const tar = new TarWriter((chunk) => parts.push(Buffer.from(chunk)));
  for (const [path, content, rest] of files) {
    const data = Buffer.from(content);
    const entry = { path: toByteString(path), type: 'file', mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n } as const;
    tar.writeEntry({ ...entry, size: data.length, ...rest });
    if (data.length > 0) tar.writeData(data);
    tar.endEntry();
  }
  tar.finish();
  return Buffer.concat(parts);
}

/** Puts an image of gzip layers into the registry; the digests of the layers are the answer. */
function putRemote(tag: string, layers: readonly (readonly File[])[]): string[] {
  const repository = registry.repository('app');
  const oci = 'application/vnd.oci.image';
  const tars = layers.map(tarOf);
  const blobs = tars.map((tar) => gzipSync(tar));
  for (const blob of blobs) repository.putBlob(blob);
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
  });
  repository.putBlob(config);
  repository.putManifest(
    {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: { mediaType: `${oci}.config.v1+json`, digest: sha256(config), size: config.length },
      layers: blobs.map((blob) => ({ mediaType: `${oci}.layer.v1.tar+gzip`, digest: sha256(blob), size: blob.length })),
    },
    tag,
  );
  return blobs.map(sha256);
}

/** Requests for a blob since the log was cleared. */
function requestsFor(digest: string | undefined): number {
  return registry.requests.filter(({ path }) => path.includes(digest ?? 'none')).length;
}

const noise = programLike(24_000_000);

describe('files, cat and waste of an image in the store', () => {
  beforeEach(() => {
    using store = ImageStore.open(join(directory, 'store'));
    const app = putImage(store, [
      [{ path: 'etc' }, { path: 'etc/conf', content: 'a\u001b[2J\n' }, { path: 'etc/other', content: 'x' }],
      [
        { path: 'etc/conf', content: 'changed\n' },
        { path: 'etc/.wh.other', content: '' },
      ],
    ]);
    store.tag('docker.io/library/app:latest', app);
  });

  it('lists, shows a layer, searches', async () => {
    expect(await ok('files', 'app')).toBe('drwxr-xr-x  0:0               8.00B    1  /etc/\n');
    expect(await ok('files', 'app', '/etc')).toBe('-rw-r--r--  0:0               8.00B    2  /etc/conf\n');
    expect(await ok('files', '--layer', '-1', '--format', 'tree', 'app')).toBe(
      '  etc/\nC   conf (content)  8.00B\nR   other  1.00B\n',
    );
    expect(await ok('files', '--search', 'c*f', 'app')).toContain('/etc/conf\n');
    const json: unknown = JSON.parse(await ok('files', '--layer', '1', '--format', 'json', 'app', 'etc/other'));
    expect(json).toMatchObject({ layer: 1, files: [{ path: '/etc/other', change: 'added', size: 1 }] });
  });

  it('prints files: all bytes, but nothing that steers a terminal', async () => {
    expect(await ok('cat', 'app', '/etc/../etc/conf')).toBe('changed\n');
    using store = ImageStore.open(join(directory, 'store'));
    const odd = putImage(store, [[{ path: 'odd', content: '\u001b[2J\tx\r\n\u202e' }]]);
    store.tag('docker.io/library/odd:latest', odd);
    expect(await ok('cat', 'odd', 'odd')).toBe('\u001b[2J\tx\r\n\u202e');
    expect((await cli(['cat', 'odd', 'odd'], true)).out.toString()).toBe('\\x1b[2J\tx\\r\n\\u202e');
    expect((await cli(['cat', '--raw', 'odd', 'odd'], true)).out.toString()).toContain('\u001b');
  });

  it('refuses what is not there', async () => {
    for (const [args, code, exit] of [
      [['cat', 'app', '/etc/other'], 'FILE_NOT_FOUND', 1],
      [['cat', 'app', '/etc'], 'NOT_A_FILE', 1],
      [['files', '--layer', '3', 'app'], 'USAGE', 2],
      [['files', '--layer', '0', 'app'], 'USAGE', 2],
      [['files', '--layer', '1', '--extract', 'x', 'app'], 'USAGE', 2],
      [['waste', '--lowest-efficiency', '2', 'app'], 'USAGE', 2],
    ] as const) {
      const ran = await cli(args);
      expect(ran.errors).toContain(`[${code}]`);
      expect(ran.code).toBe(exit);
    }
  });

  it('measures waste and holds it to rules', async () => {
    // conf 6+8 bytes, other 1+0, of which 6 and 0 are the smallest.
    expect(await ok('waste', 'app')).toContain('efficiency:     40.00 % of 15.00B\n');
    expect((await cli(['waste', '--lowest-efficiency', '0.3', 'app'])).code).toBe(0);
    const failed = await cli(['waste', '--lowest-efficiency', '50%', '--highest-wasted-bytes', '1KB', 'app']);
    expect(failed.code).toBe(1);
    expect(failed.out.toString()).toContain('FAIL lowestEfficiency: 0.4000, at least 0.5000\nPASS highestWastedBytes');
    const json: unknown = JSON.parse(await ok('waste', '--format', 'json', 'app'));
    expect(json).toMatchObject({ wasted: [{ path: '/etc/conf', count: 2 }, { path: '/etc/other' }], rules: [] });
  });
});

describe('cat of an image in a registry', () => {
  it('reads the layers from the top to the file, then nothing any more', async () => {
    const [low, high] = putRemote('1', [
      [['low', 'below']],
      [
        ['high', 'above'],
        ['big', noise.subarray(0, 2_000_000)],
      ],
    ]);
    const name = `docker://${registry.host}/app:1`;
    expect(await ok('cat', name, '/high')).toBe('above');
    expect(requestsFor(low)).toBe(0);
    expect(await ok('cat', name, '/low')).toBe('below');
    registry.clearLog();
    expect(await ok('cat', name, '/high', '/low')).toBe('abovebelow');
    expect(requestsFor(low) + requestsFor(high)).toBe(0);
    const list = await ok('files', name);
    expect(list).toContain('/low');
    expect(requestsFor(low) + requestsFor(high)).toBe(0);
  });

  it('fetches the part of a large layer that holds the file', async () => {
    const [layer] = putRemote('large', [
      [
        ['a', noise.subarray(0, 12_000_000)],
        ['b', noise.subarray(12_000_000)],
        ['c', 'end'],
      ],
    ]);
    const name = `docker://${registry.host}/app:large`;
    await ok('files', name);
    registry.clearLog();
    const { out } = await cli(['cat', name, 'b']);
    expect(out.equals(noise.subarray(12_000_000))).toBe(true);
    const asked = registry.requests.filter(({ path }) => path.includes(layer ?? ''));
    expect(asked).toHaveLength(1);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(asked[0]?.headers['range'])) ?? [];
    expect(Number(from)).toBeGreaterThan(1_000_000);
    expect(Number(to)).toBeGreaterThan(Number(from));
    expect(await ok('cat', name, 'c')).toBe('end');
  });
});

describe('files --extract', () => {
  it('writes a directory, a file, and into a directory that is there', async () => {
    putRemote('1', [
      [
        ['srv/app', '', { type: 'directory', mode: 0o750 }],
        ['srv/app/run', '#!', { mode: 0o755 }],
        ['srv/app/hard', '', { type: 'hardlink', linkName: toByteString('srv/app/run') }],
        ['srv/app/out', '', { type: 'symlink', linkName: toByteString('../../../../etc/passwd') }],
        ['srv/app/data', noise.subarray(0, 3_000_000)],
        ['srv/secret', 'no'],
      ],
    ]);
    const name = `docker://${registry.host}/app:1`;
    await ok('files', '--extract', 'made/app', name, '/srv/app');
    expect(readdirSync(join(directory, 'made'))).toEqual(['app']);
    expect(readdirSync(join(directory, 'made/app')).sort()).toEqual(['data', 'hard', 'out', 'run']);
    expect(readFileSync(join(directory, 'made/app/data')).equals(noise.subarray(0, 3_000_000))).toBe(true);
    expect(lstatSync(join(directory, 'made/app')).mode & 0o777).toBe(0o750);
    expect(lstatSync(join(directory, 'made/app/run')).ino).toBe(lstatSync(join(directory, 'made/app/hard')).ino);
    expect(lstatSync(join(directory, 'made/app/out')).isSymbolicLink()).toBe(true);

    mkdirSync(join(directory, 'into'));
    await ok('files', '--extract', 'into', name, '/srv/secret');
    expect(readFileSync(join(directory, 'into/secret'), 'utf8')).toBe('no');
    for (const target of ['into', 'into/secret', 'made/app/out']) {
      const again = await cli(['files', '--extract', target, name, '/srv/secret']);
      expect(again.errors).toContain('[TARGET_NOT_EMPTY]');
    }
    expect(readdirSync(directory).sort()).toEqual(['into', 'made', 'store']);
  });

  it('leaves nothing behind when it fails', async () => {
    const [layer] = putRemote('1', [
      [
        ['d/a', noise.subarray(0, 6_000_000)],
        ['d/b', 'b'],
      ],
    ]);
    const name = `docker://${registry.host}/app:1`;
    await ok('files', name);
    registry.repository('app').blobs.delete(layer ?? '');
    const failed = await cli(['files', '--extract', 'out', name, '/d']);
    expect(failed.code).toBe(1);
    expect(existsSync(join(directory, 'out'))).toBe(false);
    expect(readdirSync(directory)).toEqual(['store']);
  });
});
