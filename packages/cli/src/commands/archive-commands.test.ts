import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { putImage } from '../testing/store-with-image.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
let directory: string;

/** Runs a command line with one of the stores of the test, in its directory. */
async function cli(store: string, ...args: string[]): Promise<TestContext & { code: number }> {
  const context = testContext({ env: { BOXWRIGHT_HOME: join(directory, store) }, cwd: directory });
  const code = await runCli(args, context);
  return { ...context, code };
}

async function ok(store: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(store, ...args);
  expect(stderr.text).toBe('');
  expect(code).toBe(0);
  return stdout.text;
}

beforeEach(() => {
  directory = temporaryDirectory();
  using store = ImageStore.open(join(directory, 'a'));
  const app = putImage(store, [[{ path: 'bin/app', content: 'app' }], [{ path: 'data', content: 'x'.repeat(5000) }]]);
  store.tag('docker.io/library/app:1', app);
  store.tag('ghcr.io/me/app:1', app);
  store.tag('docker.io/library/other:2', putImage(store, [[{ path: 'o', content: 'o' }]]));
});

describe('save and load', () => {
  it.each([
    ['docker', []],
    ['oci', []],
    ['oci', ['--compression', 'gzip']],
    ['oci-dir', []],
    ['oci-dir', ['--compression=gzip']],
  ])('hand images on as %s %j, names and ids kept', async (format, flags) => {
    await ok('a', 'save', '--format', format, ...flags, '-o', 'out', 'app:1', 'ghcr.io/me/app:1', 'other:2');
    const loaded = await ok('b', 'load', '-i', 'out');
    expect(loaded.split('\n').toSorted()).toEqual([
      '',
      'Loaded image: app:1',
      'Loaded image: ghcr.io/me/app:1',
      'Loaded image: other:2',
    ]);
    const shown = async (store: string) =>
      JSON.parse(await ok(store, 'images', '--format', 'json')) as { repository: string; id: string }[];
    const byName = (rows: { repository: string; id: string }[]) => new Map(rows.map((row) => [row.repository, row.id]));
    expect(byName(await shown('b'))).toEqual(byName(await shown('a')));
    expect(readdirSync(directory).toSorted()).toEqual(['a', 'b', 'out']);
  });

  it('keep the digest unless layers are compressed', async () => {
    const manifest = await ok('a', 'inspect', '--format=raw-manifest', 'app:1');
    await ok('a', 'save', '--format', 'oci', '-o', 'plain.tar', 'app:1');
    await ok('b', 'load', '-i', 'plain.tar');
    expect(await ok('b', 'inspect', '--format=raw-manifest', 'app:1')).toBe(manifest);
    await ok('a', 'save', '--format', 'oci', '--compression', 'gzip', '-o', 'small.tar', 'app:1');
    await ok('c', 'load', '-i', 'small.tar');
    expect(await ok('c', 'inspect', '--format=raw-manifest', 'app:1')).toContain('tar+gzip');
  });

  it('leave nothing behind when an image is damaged', async () => {
    const { Id: id } = (JSON.parse(await ok('a', 'inspect', 'app:1')) as { Id: string }[])[0] ?? { Id: '' };
    writeFileSync(join(directory, 'a/blobs/sha256', id.slice(7)), 'damaged', { mode: 0o600 });
    const { code, stderr } = await cli('a', 'save', '-o', 'out.tar', 'app:1');
    expect(stderr.text).toMatch(/\[BLOB_[A-Z]+\]/);
    expect(code).toBe(1);
    expect(existsSync(join(directory, 'out.tar'))).toBe(false);
  });

  it('name an image that has only a tag after its archive', async () => {
    await ok('a', 'save', '--format', 'oci-dir', '-o', 'My_Layout.d', 'app:1');
    const index = join(directory, 'My_Layout.d/index.json');
    const text = readFileSync(index, 'utf8').replace(/"io\.containerd\.image\.name":"[^"]*",?/, '');
    writeFileSync(index, text);
    expect(await ok('b', 'load', '--input', 'My_Layout.d')).toBe('Loaded image: my-layout-d:1\n');
    expect(await ok('b', 'load', '-i', 'My_Layout.d', '-t', 'mine:7')).toBe('Loaded image: mine:7\n');
    writeFileSync(index, text.replace(/"annotations":\{[^}]*\}/, '"annotations":{}'));
    const loaded = await ok('c', 'load', '-i', 'My_Layout.d');
    expect(loaded).toMatch(/^Loaded image ID: sha256:[0-9a-f]{64}\n$/);
    expect(await ok('c', 'history', loaded.slice(loaded.indexOf('sha256:')).trim())).toContain('COPY files0');
  });

  it.each([
    [['load', '-i', 'nowhere.tar'], 1, 'ENOENT'],
    [['load', '-i', 'text'], 1, 'INVALID'],
    [['load', '-i', 'a'], 1, 'LAYOUT_INVALID'],
    [['load', '-i', 'both.tar', '-t', 'x'], 2, 'USAGE'],
    [['save', 'nowhere'], 1, 'IMAGE_NOT_FOUND'],
    [['save', '--format', 'oci-dir', 'app:1'], 2, 'USAGE'],
    [['save', '--compression', 'gzip', '-o', 'x', 'app:1'], 2, 'USAGE'],
  ])('%j', async (args, code, error) => {
    writeFileSync(join(directory, 'text'), 'this is no archive\n'.repeat(100));
    await ok('a', 'save', '-o', 'both.tar', 'app:1', 'other:2');
    const result = await cli('a', ...args);
    expect(result.stderr.text).toMatch(new RegExp(`\\[\\w*${error}\\]\n`));
    expect(result.code).toBe(code);
  });
});

describe('import', () => {
  it('makes an image that unpacks to the same files', async () => {
    mkdirSync(join(directory, 'root/etc'), { recursive: true });
    writeFileSync(join(directory, 'root/etc/motd'), 'hi\n');
    execFileSync('tar', ['-czf', 'root.tgz', '-C', 'root', '.'], { cwd: directory });
    const id = (await ok('b', 'import', 'root.tgz', 'base:1', '-t', 'base:latest', '-m', 'by hand')).trim();
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await ok('b', 'images', '-q', '--no-trunc', 'base')).toBe(`${id}\n`);
    expect(await ok('b', 'history', 'base')).toMatch(/by hand$/m);
    await cli('b', 'unpack', 'base:1', 'out');
    expect(readFileSync(join(directory, 'out/etc/motd'), 'utf8')).toBe('hi\n');
    const untagged = (await ok('b', 'import', 'root.tgz', '--platform', 'linux/arm64')).trim();
    expect(await ok('b', 'inspect', untagged)).toContain('"Architecture": "arm64"');
  });

  it.each([
    [['import', 'nowhere.tar'], 1],
    [['import', 'https://example.com/root.tar'], 2],
    [['import', 'x', '--change', 'CMD x'], 2],
    [['import', 'x', 'UPPER'], 1],
  ])('%j', async (args, code) => {
    expect((await cli('b', ...args)).code).toBe(code);
  });
});

it('doctor reports on program, store, sandbox and helpers', async () => {
  const { stdout, code, exitCodes } = await cli('fresh', 'doctor', '--format', 'json');
  const { findings } = JSON.parse(stdout.text) as { findings: { state: string; topic: string; message: string }[] };
  const topics = new Set(findings.map((finding) => finding.topic));
  for (const topic of ['program', 'store', 'RUN', 'archives']) expect(topics).toContain(topic);
  expect(findings.find((finding) => finding.topic === 'store')?.message).toContain('not made yet');
  expect(existsSync(join(directory, 'fresh'))).toBe(false);
  expect(code).toBe(findings.some((finding) => finding.state === 'missing') ? 1 : 0);
  expect(exitCodes).toEqual(code === 0 ? [] : [1]);
});
