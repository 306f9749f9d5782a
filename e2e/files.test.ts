import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sha256, startTestRegistry, type TestRegistry } from '../packages/oci/src/registry/testing/index.ts';
import { PeakMemory } from './support/peak-memory.ts';
import { testUser } from './support/user.ts';

const MiB = 1 << 20;
const MEMORY = 150 * MiB;

let work: string;
let registry: TestRegistry;
let layers: readonly string[];

/** Layers made by tar and gzip, as they are on this machine. */
beforeAll(async () => {
  work = mkdtempSync(join(inject('workDirectory'), 'files-'));
  registry = await startTestRegistry();
  const lower = join(work, 'lower');
  mkdirSync(join(lower, 'etc'), { recursive: true });
  mkdirSync(join(lower, 'usr/lib'), { recursive: true });
  writeFileSync(join(lower, 'etc/os-release'), 'ID=test\n');
  writeFileSync(join(lower, 'etc/old'), 'old\n');
  symlinkSync('../etc/os-release', join(lower, 'usr/release'));
  linkSync(join(lower, 'etc/old'), join(lower, 'etc/older'));
  const program = readFileSync(process.execPath);
  for (let number = 0; number < 300; number++) {
    const at = (number * 65_537 * 3) % (program.length - MiB);
    writeFileSync(join(lower, `usr/lib/${number}.so`), program.subarray(at, at + MiB));
  }
  writeFileSync(join(lower, 'usr/lib/large'), program.subarray(0, 40 * MiB));
  const upper = join(work, 'upper');
  mkdirSync(join(upper, 'etc'), { recursive: true });
  writeFileSync(join(upper, 'etc/os-release'), 'ID=changed\n');
  writeFileSync(join(upper, 'etc/.wh.old'), '');
  layers = putImage('1', [lower, upper]);
}, 300_000);

afterAll(async () => {
  await registry.close();
  rmSync(work, { recursive: true, force: true });
});

function putImage(tag: string, directories: readonly string[]): string[] {
  const repository = registry.repository('app');
  const oci = 'application/vnd.oci.image';
  const made = directories.map((directory) => {
    const tar = join(work, `${directories.indexOf(directory)}.tar`);
    execFileSync('tar', ['--sort=name', '--mtime=@0', '-cf', tar, '-C', directory, '.']);
    const plain = sha256(readFileSync(tar));
    const fd = openSync(`${tar}.gz`, 'w');
    try {
      execFileSync('gzip', ['-1', '-c', tar], { stdio: ['ignore', fd, 'inherit'] });
    } finally {
      closeSync(fd);
    }
    const blob = readFileSync(`${tar}.gz`);
    repository.putBlob(blob);
    return { diffId: plain, digest: sha256(blob), size: blob.length };
  });
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
  });
  repository.putBlob(config);
  repository.putManifest(
    {
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: { mediaType: `${oci}.config.v1+json`, digest: sha256(config), size: config.length },
      layers: made.map(({ digest, size }) => ({ mediaType: `${oci}.layer.v1.tar+gzip`, digest, size })),
    },
    tag,
  );
  return made.map(({ digest }) => digest);
}

const name = (): string => `docker://${registry.host}/app:1`;

/** Requests for layers since the log was cleared. */
function layerRequests(): readonly { readonly path: string; readonly headers: Readonly<Record<string, unknown>> }[] {
  return registry.requests.filter(({ path }) => layers.some((layer) => path.includes(layer)));
}

interface ListedFiles {
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256?: string }[];
}

describe('an image in a registry', () => {
  it('is listed, in little memory; a second look asks for no layer, a file for a part of one', async () => {
    const user = testUser();
    let listing: PeakMemory | undefined;
    const { stdout } = await user.runOk(['files', '-R', '--format', 'json', name()], {
      onStart: (child) => {
        listing = new PeakMemory(child);
      },
    });
    // The cast: the schema of this JSON is tested beside the code.
    const { files } = JSON.parse(stdout.toString()) as ListedFiles;
    expect(files).toHaveLength(301 + 6);
    const large = readFileSync(process.execPath).subarray(0, 40 * MiB);
    expect(files.find(({ path }) => path === '/usr/lib/large')).toMatchObject({
      size: 40 * MiB,
      sha256: createHash('sha256').update(large).digest('hex'),
    });
    expect(listing?.peak).toBeGreaterThan(20_000_000);
    expect(listing?.peak).toBeLessThan(MEMORY);

    registry.clearLog();
    expect((await user.runOk(['files', '--layer', '2', '--format', 'tree', name()])).stdout.toString()).toBe(
      '  etc/\nR   old  4.00B\nC   os-release (content)  11.00B\n',
    );
    expect(layerRequests()).toEqual([]);

    const { stdout: content } = await user.runOk(['cat', name(), '/usr/lib/large']);
    expect(content.equals(large)).toBe(true);
    expect(layerRequests()).toHaveLength(1);
    expect(layerRequests()[0]?.headers['range']).toMatch(/^bytes=\d{8,}-/);

    await user.runOk(['cat', name(), '/usr/release']);
    registry.clearLog();
    expect((await user.runOk(['cat', name(), '/usr/release'])).stdout.toString()).toBe('ID=changed\n');
    expect(layerRequests()).toEqual([]);
  });

  it('gives out directories as tar made them', async () => {
    const user = testUser();
    const target = join(user.directory, 'lib');
    await user.runOk(['files', '--extract', target, name(), '/usr/lib']);
    const same = execFileSync('diff', ['-r', target, join(work, 'lower/usr/lib')]);
    expect(same.toString()).toBe('');
    expect(readdirSync(target)).toHaveLength(301);
  });

  it('is held to rules by the exit code', async () => {
    const user = testUser();
    expect((await user.run(['waste', '--lowest-efficiency', '0.9', name()])).code).toBe(0);
    const failed = await user.run(['waste', '--highest-wasted-bytes', '10B', name()]);
    expect(failed.code).toBe(1);
    expect(failed.stdout.toString()).toContain('FAIL highestWastedBytes: 23.00B, at most 10.00B\n');
  });
});

it('refuses a layer that was cut, and one that is another', async () => {
  const user = testUser();
  const blob = readFileSync(join(work, '1.tar.gz'));
  const repository = registry.repository('app');
  const put = (tag: string, content: Buffer): void => {
    repository.putBlob(content);
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [sha256(Buffer.from(tag))] },
    });
    repository.putBlob(config);
    const oci = 'application/vnd.oci.image';
    repository.putManifest(
      {
        schemaVersion: 2,
        mediaType: `${oci}.manifest.v1+json`,
        config: { mediaType: `${oci}.config.v1+json`, digest: sha256(config), size: config.length },
        layers: [{ mediaType: `${oci}.layer.v1.tar+gzip`, digest: sha256(content), size: content.length }],
      },
      tag,
    );
  };
  put('cut', blob.subarray(0, -30));
  put('other', blob);
  for (const [tag, code] of [
    ['cut', 'COMPRESSION_INVALID'],
    ['other', 'LAYER_INVALID'],
  ] as const) {
    const failed = await user.run(['files', `docker://${registry.host}/app:${tag}`]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(`[${code}]`);
    expect(failed.stdout.toString()).toBe('');
  }
});
