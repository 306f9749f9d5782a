import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { putImage } from '../testing/store-with-image.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
let root: string;
let id: Digest;

/** Runs a command line on the store of the test. */
async function cli(...args: string[]): Promise<TestContext & { code: number }> {
  const context = testContext({ env: { BOXWRIGHT_HOME: root }, cwd: root });
  const code = await runCli(args, context);
  return { ...context, code };
}

beforeEach(() => {
  root = join(temporaryDirectory(), 'store');
  using store = ImageStore.open(root);
  const app = putImage(store, [
    [
      { path: 'bin' },
      { path: 'bin/app', content: 'x'.repeat(1379), mode: 0o4755 },
      { path: 'etc/gone', content: 'old' },
    ],
    [
      { path: 'etc/.wh.gone', content: '' },
      { path: 'etc/镜像', content: 'new' },
    ],
  ]);
  const other = putImage(store, [[{ path: 'other', content: 'y' }]], ['A=1']);
  store.tag('docker.io/library/app:latest', app);
  store.tag('ghcr.io/me/app:1.2', app);
  store.tag('docker.io/library/other:latest', other);
  id = store.image(app).manifest().config.digest;
});

describe('images', () => {
  it('lists names with sizes, and filters them', async () => {
    const { stdout, code } = await cli('images');
    expect(code).toBe(0);
    const short = id.slice(7, 19);
    expect(stdout.text).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n/);
    expect(stdout.text).toMatch(new RegExp(`^app +latest +${short} +\\d+ \\w+ ago +1\\.39kB$`, 'm'));
    expect(stdout.text).toMatch(new RegExp(`^ghcr\\.io/me/app +1\\.2 +${short} `, 'm'));
    expect((await cli('images', 'app')).stdout.text.split('\n')).toHaveLength(3);
    expect((await cli('images', 'ghcr.io/me/app:1.1')).stdout.text.split('\n')).toHaveLength(2);
  });

  it('prints ids once', async () => {
    expect((await cli('images', '-q', 'app')).stdout.text).toBe(`${id.slice(7, 19)}\n`);
    expect((await cli('images', '-q', '--no-trunc')).stdout.text.split('\n')).toHaveLength(3);
  });

  it('prints JSON', async () => {
    const rows: unknown = JSON.parse((await cli('images', '--format', 'json', 'app')).stdout.text);
    expect(rows).toEqual([
      expect.objectContaining({
        repository: 'app',
        tag: 'latest',
        id,
        created: '2026-01-09T00:00:00Z',
        size: 1379 + 3 + 3,
      }),
    ]);
  });

  it('lists a damaged image with a warning, beside the others', async () => {
    const blobs = join(root, 'blobs/sha256');
    writeFileSync(join(blobs, id.slice(7)), 'damaged', { mode: 0o600 });
    const { stdout, stderr, code } = await cli('images');
    expect(code).toBe(0);
    expect(stdout.text).toMatch(/^app +latest +<damaged> +N\/A +\?$/m);
    expect(stdout.text).toMatch(/^other +latest +[0-9a-f]{12} /m);
    expect(stderr.text).toMatch(/^warning: app:latest: /m);
  });

  it('is empty for a new store', async () => {
    const context = testContext({ env: { BOXWRIGHT_HOME: temporaryDirectory() } });
    expect(await runCli(['images', '-q'], context)).toBe(0);
    expect(context.stdout.text).toBe('');
  });
});

describe('naming an image', () => {
  it.each([
    ['app', 0],
    ['app:latest', 0],
    ['docker.io/library/app', 0],
    ['ghcr.io/me/app:1.2', 0],
    ['ghcr.io/me/app', 1],
    ['ap', 1],
    ['UPPER', 1],
  ])('%s', async (name, code) => {
    expect((await cli('history', name)).code).toBe(code);
  });

  it('takes ids, short and long', async () => {
    for (const name of [id, id.slice(7), id.slice(7, 19), id.slice(0, 20)]) {
      expect((await cli('history', name)).stderr.text).toBe('');
    }
    expect((await cli('history', `sha256:${'0'.repeat(64)}`)).stderr.text).toContain('[IMAGE_NOT_FOUND]');
  });

  it('takes a digest with a name', async () => {
    using store = ImageStore.open(root);
    const digest = store.resolve('docker.io/library/app:latest')?.digest;
    expect((await cli('history', `app@${digest}`)).code).toBe(0);
    expect((await cli('history', `ghcr.io/me/app:1.2@${digest}`)).code).toBe(0);
    expect((await cli('history', `other@${digest}`)).code).toBe(1);
  });

  it('suggests a name that is near', async () => {
    expect((await cli('history', 'othre')).stderr.text).toContain('hint: Did you mean other?');
  });
});

it('history prints rows newest first', async () => {
  const { stdout } = await cli('history', '--no-trunc', 'app');
  expect(stdout.text.split('\n').map((line) => line.replace(/ {3,}/g, '|'))).toEqual([
    'CREATED|CREATED BY|SIZE|COMMENT',
    '2026-01-09T00:00:00Z|CMD ["/bin/app"]|0B',
    '2026-01-02T00:00:00Z|COPY files1 / # buildkit|3B|buildkit.dockerfile.v0',
    '2026-01-01T00:00:00Z|COPY files0 / # buildkit|1.38kB|buildkit.dockerfile.v0',
    '',
  ]);
  expect(JSON.parse((await cli('history', '--format=json', 'app')).stdout.text)).toHaveLength(3);
});

describe('inspect', () => {
  it('prints what docker inspect prints', async () => {
    const { stdout } = await cli('inspect', 'app', 'other');
    const objects: unknown = JSON.parse(stdout.text);
    expect(objects).toMatchObject([
      { Id: id, RepoTags: ['app:latest', 'ghcr.io/me/app:1.2'], Size: 1385, Config: { Cmd: ['/bin/app'] } },
      { RepoTags: ['other:latest'], Config: { Env: ['A=1'] } },
    ]);
  });

  it('prints the raw documents byte for byte', async () => {
    const { stdout } = await cli('inspect', '--format', 'raw-config', 'app');
    expect(`sha256:${createHash('sha256').update(stdout.text).digest('hex')}`).toBe(id);
    expect((await cli('inspect', '--format', 'raw-manifest', 'app')).stdout.text).toContain(id);
    expect((await cli('inspect', '--format', 'raw-config', 'app', 'other')).code).toBe(2);
  });
});

describe('tag, rmi and prune', () => {
  it('move names and free space', async () => {
    expect((await cli('tag', id.slice(7, 19), 'app:old')).code).toBe(0);
    expect((await cli('tag', 'nowhere', 'x')).code).toBe(1);
    expect((await cli('tag', 'app', `x@${id}`)).code).toBe(2);
    expect((await cli('rmi', 'app:old', 'app')).stdout.text).toBe('Untagged: app:old\nUntagged: app:latest\n');
    expect((await cli('rmi', 'app')).code).toBe(1);
    expect((await cli('rmi', '-f', 'app')).code).toBe(0);
    expect((await cli('tag', 'ghcr.io/me/app:1.2', 'again')).code).toBe(0);
    expect((await cli('rmi', id)).stderr.text).toContain('[IMAGE_HAS_NAMES]');
    expect((await cli('rmi', '--force', id)).code).toBe(0);

    const dry = await cli('prune', '--dry-run', '--verbose');
    expect(dry.stdout.text).toMatch(/^blob {2}sha256:\S+ {2}\S+B$/m);
    expect(dry.stdout.text).toMatch(/\(dry run\)\n$/);
    const pruned = await cli('prune');
    expect(pruned.stdout.text).toMatch(/^REMOVED +COUNT +SIZE\nblob +\d+ +[\d.]+kB\n/);
    expect(existsSync(join(root, 'blobs/sha256', id.slice(7)))).toBe(false);
    expect((await cli('history', 'other')).code).toBe(0);
  });

  it.each([
    [['prune', '--all', '--keep-cache'], 2],
    [['prune', '--filter', 'label=x'], 2],
    [['prune', '--all', '--filter', 'until=1h30m', '--format', 'json'], 0],
  ])('%j', async (args, code) => {
    expect((await cli(...args)).code).toBe(code);
  });
});

describe('unpack', () => {
  it('applies all layers', async () => {
    const target = join(root, '../rootfs');
    const { code, stderr } = await cli('unpack', 'app', '../rootfs');
    expect(stderr.text).toContain('unpacked to');
    expect(code).toBe(0);
    expect(readdirSync(join(target, 'etc'))).toEqual(['镜像']);
    expect(statSync(join(target, 'bin/app')).mode & 0o7777).toBe(process.getuid?.() === 0 ? 0o4755 : 0o755);
  });

  it('does not touch a directory that is in use', async () => {
    const target = temporaryDirectory();
    writeFileSync(join(target, 'mine'), 'mine');
    expect((await cli('unpack', 'app', target)).stderr.text).toContain('[TARGET_NOT_EMPTY]');
    expect((await cli('unpack', 'app', join(target, 'mine'))).stderr.text).toContain('[TARGET_NOT_A_DIRECTORY]');
    expect(readdirSync(target)).toEqual(['mine']);
    expect((await cli('unpack', '--force', 'app', target)).code).toBe(0);
    expect(readFileSync(join(target, 'mine'), 'utf8')).toBe('mine');
    expect(existsSync(join(target, 'bin/app'))).toBe(true);
  });

  it('leaves nothing behind when a layer is damaged', async () => {
    using store = ImageStore.open(root);
    const descriptor = putImage(store, [
      [{ path: 'z', content: 'z' }],
      [
        { path: 'a', content: 'a' },
        { path: 'a/b', content: 'below a file' },
      ],
    ]);
    store.tag('docker.io/library/broken:latest', descriptor);
    const target = join(root, '../half');
    const { code, stderr } = await cli('unpack', 'broken', target);
    expect(stderr.text).toMatch(/\[LAYER_[A-Z_]+\]/);
    expect(code).toBe(1);
    expect(existsSync(target)).toBe(false);
  });
});
