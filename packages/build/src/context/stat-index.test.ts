import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ScratchFile, toByteString } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { DirectoryTree } from '../source/directory-tree.ts';
import type { SourceNode } from '../source/source-tree.ts';
import { StatIndex } from './stat-index.ts';

const temporary = temporaryDirectories();

/** A scratch file in memory. */
function memoryFile(content?: Buffer): ScratchFile & { content: ReturnType<ScratchFile['read']>; writes: number } {
  return {
    path: 'in memory',
    content,
    writes: 0,
    read() {
      return this.content;
    },
    replace(bytes: string | Uint8Array) {
      this.content = Buffer.from(bytes);
      this.writes++;
    },
    remove() {
      this.content = undefined;
    },
  };
}

const DIGEST_A = 'a'.repeat(64);
const DIGEST_B = 'b'.repeat(64);
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['a', DIGEST_A],
  ['b', DIGEST_B],
  ['c', '0123'.repeat(16)],
]);

const OLD = String(10n ** 18n);

function fileNode(path: string, identity = `5:${OLD}:${OLD}:7:8`): SourceNode {
  const content = { kind: 'file', path: `/x/${path}`, identity } as const;
  return { path: toByteString(path), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 5, mtimeNs: 0n, content };
}

describe('StatIndex', () => {
  it('knows a digest again as long as the identity is the same', () => {
    const file = memoryFile();
    const index = StatIndex.load(file);
    expect(index.get(fileNode('a'))).toBeUndefined();
    index.set(fileNode('a'), DIGEST_A);
    index.set(fileNode('ü/b'), DIGEST_B);
    index.save();
    const loaded = StatIndex.load(file);
    expect(loaded.get(fileNode('a'))).toBe(DIGEST_A);
    expect(loaded.get(fileNode('ü/b'))).toBe(DIGEST_B);
    expect(loaded.get(fileNode('a', `5:${OLD}:${OLD}:7:9`))).toBeUndefined();
    expect(loaded.get(fileNode('a', `5:${OLD}:${OLD}:7:`))).toBeUndefined();
    expect(loaded.get(fileNode('c'))).toBeUndefined();
  });

  it('writes only when it has learnt something', () => {
    const file = memoryFile();
    StatIndex.load(file).save();
    const index = StatIndex.load(file);
    index.set(fileNode('a'), DIGEST_A);
    index.save();
    index.save();
    expect(file.writes).toBe(1);
  });

  it('does not trust a file that has just changed', () => {
    const index = StatIndex.load(memoryFile());
    const now = String(BigInt(Date.now()) * 1_000_000n);
    const fresh = fileNode('a', `5:${OLD}:${now}:7:8`);
    index.set(fresh, DIGEST_A);
    expect(index.get(fresh)).toBeUndefined();
    const later = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 1000);
    index.set(fresh, DIGEST_A);
    later.mockRestore();
    expect(index.get(fresh)).toBe(DIGEST_A);
  });

  it('sees a change of equal size and time', () => {
    const directory = temporary();
    const path = join(directory, 'f');
    const node = (): SourceNode => {
      const found = new DirectoryTree(directory, undefined).lookup(toByteString('f'));
      if (found === undefined) throw new Error('not found');
      return found;
    };
    writeFileSync(path, 'one');
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    const index = StatIndex.load(memoryFile());
    const before = node();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 1000);
    index.set(before, DIGEST_A);
    clock.mockRestore();
    expect(index.get(node())).toBe(DIGEST_A);
    writeFileSync(path, 'two');
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    expect(statSync(path).mtimeMs).toBe(1_600_000_000_000);
    expect(index.get(node())).toBeUndefined();
  });

  it('reads anything as an index, at worst an empty one', () => {
    const good = memoryFile();
    const index = StatIndex.load(good);
    for (const [name, digest] of DIGESTS) index.set(fileNode(name), digest);
    index.save();
    const bytes = good.content ?? Buffer.alloc(0);
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.uint8Array({ maxLength: 40 }), (cut, junk) => {
        const loaded = StatIndex.load(memoryFile(Buffer.concat([bytes.subarray(0, cut), junk])));
        // Junk of the same form is not to be expected from a disk.
        for (const [name, digest] of DIGESTS) expect([undefined, digest]).toContain(loaded.get(fileNode(name)));
      }),
    );
    expect(StatIndex.load(memoryFile(Buffer.from('boxwright-stat-index 9\nx'))).get(fileNode('a'))).toBeUndefined();
  });

  it('leaves out names that would break its lines', () => {
    const file = memoryFile();
    const index = StatIndex.load(file);
    index.set(fileNode('a\nb'), DIGEST_A);
    index.save();
    expect(file.writes).toBe(0);
  });

  it('forgets files that are gone once they are most of what it knows', () => {
    const file = memoryFile();
    const first = StatIndex.load(file);
    for (let count = 0; count < 3000; count++) first.set(fileNode(`old-${count}`), DIGEST_A);
    first.save();
    const second = StatIndex.load(file);
    second.set(fileNode('new'), DIGEST_A);
    second.save();
    const third = StatIndex.load(file);
    expect(third.get(fileNode('old-1'))).toBeUndefined();
    expect(third.get(fileNode('new'))).toBe(DIGEST_A);
  });

  it('keeps what another instruction let in', () => {
    const file = memoryFile();
    const first = StatIndex.load(file);
    for (let count = 0; count < 100; count++) first.set(fileNode(`f-${count}`), DIGEST_A);
    first.save();
    const second = StatIndex.load(file);
    second.set(fileNode('new'), DIGEST_A);
    second.save();
    expect(StatIndex.load(file).get(fileNode('f-1'))).toBe(DIGEST_A);
  });
});
