import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyImage } from '../copy/copy-image.ts';
import { gzipLayers } from '../copy/encode-layers.ts';
import type { Descriptor } from '../documents/descriptor.ts';
import { ImageStore } from '../store/store.ts';
import { fileOutput } from './archive-output.ts';
import { saveDockerArchive } from './docker-archive-writer.ts';
import { loadArchive } from './load-archive.ts';
import { writeOciArchive } from './oci-archive-writer.ts';
import { openOciLayout } from './oci-layout.ts';
import { writeOciLayout } from './oci-layout-writer.ts';
import type { ImageDestination } from './place.ts';
import { storeDestination, storeSource } from './store-place.ts';
import { putImage } from './testing/test-images.ts';

const name = 'docker.io/library/a:1';
let root: string;
let store: ImageStore;
let image: Descriptor;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-interchange-'));
  store = ImageStore.open(join(root, 'store'));
  image = putImage(store, ['one', 'two'], process.arch === 'x64' ? 'amd64' : process.arch);
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

async function write(destination: ImageDestination, compress: boolean): Promise<Descriptor> {
  const options = compress ? { encodeLayer: gzipLayers(store) } : {};
  const placed = await copyImage(storeSource(store), { descriptor: image, names: [name] }, destination, options);
  await destination.finish();
  return placed.descriptor;
}

// These need the Debian packages skopeo and umoci.
describe.skipIf(!isInstalled('skopeo'))('skopeo', () => {
  it.each([false, true])('reads our OCI layouts and archives (compressed: %s)', async (compress) => {
    await write(writeOciLayout(join(root, 'layout')), compress);
    await write(writeOciArchive(fileOutput(join(root, 'oci.tar'))), compress);
    for (const [source, to] of [
      ['oci:layout:1', 'a'],
      ['oci-archive:oci.tar:1', 'b'],
    ] as const) {
      run('skopeo', 'copy', '--quiet', source, `dir:${to}`);
      expect(run('skopeo', 'inspect', '--config', '--raw', source)).toBe(store.image(image).config().raw.toString());
    }
  });

  it('reads our docker-archives', async () => {
    await saveDockerArchive(store, [{ descriptor: image, names: [name] }], fileOutput(join(root, 'docker.tar')));
    run('skopeo', 'copy', '--quiet', 'docker-archive:docker.tar:a:1', 'dir:a');
    expect(run('skopeo', 'inspect', '--config', '--raw', 'docker-archive:docker.tar')).toBe(
      store.image(image).config().raw.toString(),
    );
  });

  it('writes docker-archives, OCI archives and layouts that we read', async () => {
    // Compressed, since skopeo compresses plain layers, and then writes another manifest.
    const { digest } = await write(writeOciLayout(join(root, 'layout')), true);
    run('skopeo', 'copy', '--quiet', 'oci:layout:1', 'docker-archive:docker.tar:example.com/x:2');
    run('skopeo', 'copy', '--quiet', 'oci:layout:1', 'oci-archive:oci.tar:example.com/y:3');
    const docker = await loadArchive(store, join(root, 'docker.tar'));
    expect(docker.map(({ names }) => names)).toEqual([['example.com/x:2']]);
    const oci = await loadArchive(store, join(root, 'oci.tar'));
    expect(oci).toMatchObject([{ names: ['example.com/y:3'], descriptor: { digest } }]);
    const diffIds = store.image(image).config().rootfs.diffIds;
    for (const { descriptor } of [...docker, ...oci])
      expect(store.image(descriptor).config().rootfs.diffIds).toEqual(diffIds);
  });
});

describe.skipIf(!isInstalled('umoci') || process.getuid?.() !== 0)('umoci (as root)', () => {
  it('unpacks our layouts, and we read what it adds', async () => {
    await write(writeOciLayout(join(root, 'layout')), true);
    run('umoci', 'unpack', '--image', 'layout:1', 'bundle');
    expect(readdirSync(join(root, 'bundle', 'rootfs')).sort()).toEqual(['one', 'two']);
    run('umoci', 'config', '--image', 'layout:1', '--tag', 'changed', '--author', 'somebody');
    const layout = openOciLayout(join(root, 'layout'));
    const changed = layout.images.find(({ refName }) => refName === 'changed');
    if (changed === undefined) expect.unreachable();
    const destination = storeDestination(store);
    await copyImage(layout, { ...changed, names: ['docker.io/library/changed:1'] }, destination);
    await destination.finish();
    const copied = store.image(changed.descriptor);
    expect(copied.config().author).toBe('somebody');
    for (const layer of copied.layers()) await store.layerTar(layer.descriptor, layer.diffId);
  });
});
