import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TarEntry } from '../tar/entry.ts';
import { TarWriter } from '../tar/tar-writer.ts';
import { ImageTree } from '../tree/image-tree.ts';
import { isDirectoryNode, LayerIndex } from '../tree/layer-index.ts';
import { scanLayer } from '../tree/scan-layer.ts';
import { packDirectory } from './pack-directory.ts';
import { makeBox, tarOf } from './testing/box.ts';
import { scanned } from './testing/entries.ts';
import { layerStack } from './testing/stacks.ts';
import { unpackLayer } from './unpack-layer.ts';

const isRoot = process.geteuid?.() === 0;

/** The image of these layers; undefined when one of them is not lawful. */
function treeOf(layers: readonly TarEntry[][], dir: string): ImageTree | undefined {
  try {
    layers.map((entries) => new LayerIndex('', scanned(entries)));
  } catch {
    return undefined;
  }
  return new ImageTree(
    layers.map((entries, layer) => () => {
      writeFileSync(join(dir, `${layer}.tar`), tarOf(entries));
      return scanLayer(join(dir, `${layer}.tar`));
    }),
  );
}

/**
 * True when a layer has something first as a file, then as a directory. Applied in one pass, the file has by then
 * removed what a lower layer had in a directory of that path, while in an overlay mount the two directories merge.
 */
function changesItsMind(entries: readonly TarEntry[]): boolean {
  const states = entries.map((_, count) => new LayerIndex('', scanned(entries.slice(0, count + 1))));
  return states.some((state, at) => {
    return [...(states[at - 1]?.entries() ?? [])].some((before) => {
      const after = state.get(before.path);
      return after !== undefined && !isDirectoryNode(before) && isDirectoryNode(after);
    });
  });
}

/** All that is seen in an image, the root included, one line a path. */
function describeImage(image: ImageTree): string[] {
  const root = image.lookup('' as TarEntry['path']);
  const inodes = new Map<string, string>();
  return [...(root === undefined ? [] : [root]), ...image.walk()].map((node) => {
    const { type, mode, uid, gid, size, mtimeNs, linkName } = node.entry;
    const isFile = type === 'file';
    // Without root everything belongs to us, also what the tree says is root's.
    const owner = isRoot ? `${uid}:${gid}` : '';
    const content = isFile ? image.readFile(node, size).toString('latin1') : '';
    // Which names share a file counts, which of them came first does not.
    const inode = `${node.layer}:${node.dataOffset}`;
    const shared = isFile && inodes.has(inode) ? inodes.get(inode) : '';
    if (!inodes.has(inode)) inodes.set(inode, node.path);
    return `${node.path} ${type} ${mode.toString(8)} ${owner} ${size} ${mtimeNs} ${linkName ?? ''} ${content} ${shared}`;
  });
}

/** Writes a directory as a tar, to be read as an image of one layer. */
function packed(dir: string, tarPath: string): ImageTree {
  const fd = openSync(tarPath, 'w');
  try {
    const writer = new TarWriter((chunk) => {
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
    });
    packDirectory(dir, writer, { includeRoot: true });
    writer.finish();
  } finally {
    closeSync(fd);
  }
  return new ImageTree([() => scanLayer(tarPath)]);
}

describe('the layer model', () => {
  it('is the same for the tree and for unpacking with whiteouts applied', () => {
    let lawful = 0;
    fc.assert(
      fc.property(layerStack(isRoot), (layers) => {
        using box = makeBox();
        const image = treeOf(layers, box.dir);
        const unpackAll = (): void => {
          for (const entries of layers) {
            unpackLayer([tarOf(entries)], box.target, { whiteouts: 'apply', owners: isRoot ? 'keep' : 'ignore' });
          }
        };
        if (image === undefined) {
          expect(unpackAll).toThrow();
          return;
        }
        fc.pre(!layers.slice(1).some(changesItsMind));
        lawful++;
        unpackAll();
        const seen = describeImage(packed(box.target, join(box.dir, 'packed.tar')));
        const expected = describeImage(image);
        // What the target had before counts for a root that no layer describes.
        const isRootImplied = image.lookup('' as TarEntry['path'])?.layer === -1;
        expect(isRootImplied ? seen.slice(1) : seen).toEqual(isRootImplied ? expected.slice(1) : expected);
      }),
      { numRuns: 150 },
    );
    expect(lawful).toBeGreaterThan(20);
  });

  it.skipIf(!isRoot)('is that of overlayfs for diff directories (as root: mounting needs it)', () => {
    using box = makeBox();
    const script: string[] = ['set -e'];
    const cases: { expected: string[]; tarPath: string; isRootImplied: boolean }[] = [];
    for (const [at, layers] of fc.sample(layerStack(true), 60).entries()) {
      const dir = join(box.dir, String(at));
      mkdirSync(join(dir, 'merged'), { recursive: true });
      const image = treeOf(layers, dir);
      if (image === undefined) continue;
      const lowers: string[] = [];
      for (const [layer, entries] of layers.entries()) {
        const below = new ImageTree(layers.slice(0, layer).map((lower) => () => new LayerIndex('', scanned(lower))));
        const diff = join(dir, `diff${layer}`);
        mkdirSync(diff);
        const { opaqueRoot } = unpackLayer([tarOf(entries)], diff, {
          whiteouts: 'overlay',
          impliedDirectory: (path) => below.lookup(path)?.entry,
        });
        if (opaqueRoot) lowers.length = 0;
        lowers.unshift(diff);
      }
      const tarPath = join(dir, 'merged.tar');
      // A single lower directory is no overlay: an empty one makes it one.
      mkdirSync(join(dir, 'empty'));
      script.push(
        `mount -t overlay overlay -o lowerdir=${[...lowers, join(dir, 'empty')].join(':')} ${dir}/merged`,
        `tar --format=pax --numeric-owner --sort=name -C ${dir}/merged -cf ${tarPath} . || [ $? = 1 ]`,
        `umount ${dir}/merged`,
      );
      cases.push({
        tarPath,
        expected: describeImage(image),
        isRootImplied: image.lookup('' as TarEntry['path'])?.layer === -1,
      });
    }
    expect(cases.length).toBeGreaterThan(10);
    writeFileSync(join(box.dir, 'script'), script.join('\n'));
    const run = spawnSync('unshare', ['-m', 'sh', join(box.dir, 'script')], { encoding: 'utf8' });
    // overlayfs lists, but does not find, whiteouts in a directory that no lower layer has: these layers hide anything.
    expect(run.stderr.replace(/.*File removed before we read it\n/g, '')).toBe('');
    expect(run.status).toBe(0);
    for (const { tarPath, expected, isRootImplied } of cases) {
      expect(existsSync(tarPath)).toBe(true);
      const seen = describeImage(new ImageTree([() => scanLayer(tarPath)]));
      expect(isRootImplied ? seen.slice(1) : seen).toEqual(isRootImplied ? expected.slice(1) : expected);
    }
  });
});
