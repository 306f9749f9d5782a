import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ScannedEntry, scanTar, TarReader } from './index.ts';
import { endMark, padded, paxHeader, rawEntry, withChecksum } from './testing/raw-tar.ts';
import { entryArbitrary, writeTar } from './testing/tar-fixtures.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'boxwright-fuzz-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What a reader makes of an archive: its entries and where they are, or that it refuses it. */
type Outcome = readonly ScannedEntry[] | 'refused';

function outcomeOf(read: (found: ScannedEntry[]) => void): Outcome {
  const found: ScannedEntry[] = [];
  try {
    read(found);
    return found;
  } catch (error) {
    expect(error).toMatchObject({ code: 'TAR_INVALID', details: { offset: expect.any(Number) } });
    return 'refused';
  }
}

function pushed(archive: Buffer, step: number): Outcome {
  return outcomeOf((found) => {
    const reader = new TarReader({
      entry: (entry, dataOffset, sparse) => {
        found.push(sparse === undefined ? { entry, dataOffset } : { entry, dataOffset, sparse });
      },
    });
    for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
    reader.end();
  });
}

function scanned(archive: Buffer): Outcome {
  const file = join(directory, 'a.tar');
  writeFileSync(file, archive);
  const fd = openSync(file, 'r');
  try {
    return outcomeOf((found) => found.push(...scanTar(fd)));
  } finally {
    closeSync(fd);
  }
}

/** A sparse file of each kind and a few ordinary entries: headers worth spoiling. */
function baseArchive(): Buffer {
  const map = Buffer.from('2\n2\n4\n9\n2\n');
  const content = Buffer.concat([padded(map), Buffer.from('AAAABB')]);
  const version1: [string, string][] = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.realsize', '15'],
  ];
  const old = { 386: `${octal(2)}${octal(4)}${octal(9)}${octal(2)}`, 483: octal(15) };
  return Buffer.concat([
    paxHeader('x', [
      ['path', 'pax'],
      ['mtime', '1.5'],
      ['size', '3'],
    ]),
    rawEntry({ name: 'x', size: 3 }, Buffer.from('abc')),
    rawEntry({ name: 'long', type: 'L', size: 4 }, Buffer.from('name')),
    rawEntry({ name: 'x', type: 'S', size: 6, magic: 'gnu', fields: old }, Buffer.from('AAAABB')),
    paxHeader('x', version1),
    rawEntry({ name: 'x', size: content.length }, content),
    rawEntry({ name: 'x', type: '2', linkName: 'y' }, Buffer.alloc(0)),
    endMark(),
  ]);
}

function octal(value: number): string {
  return `${value.toString(8).padStart(11, '0')}\0`;
}

describe('spoilt archives', () => {
  const base = baseArchive();

  it('the archive to be spoilt is sound', () => {
    expect(pushed(base, 512)).toMatchObject([
      { entry: { path: 'pax', size: 3 } },
      {
        entry: { path: 'name', size: 15 },
        sparse: [
          { offset: 2, length: 4 },
          { offset: 9, length: 2 },
        ],
      },
      {
        entry: { path: 'x', size: 15 },
        sparse: [
          { offset: 2, length: 4 },
          { offset: 9, length: 2 },
        ],
      },
      { entry: { path: 'x', type: 'symlink' } },
    ]);
    expect(scanned(base)).toEqual(pushed(base, 1));
  });

  it('both readers agree on every change of bytes, with checksums put right, and throw nothing but TAR_INVALID', () => {
    const change = fc.record({
      at: fc.nat(base.length - 1),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x20, 0x30, 0x39, 0x80, 0xff)),
    });
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 2000 }),
        (changes, step) => {
          const archive = Buffer.from(base);
          for (const { at, byte } of changes) {
            archive[at] = byte;
            const block = archive.subarray(at - (at % 512), at - (at % 512) + 512);
            // Content blocks are spoilt by this too, which does no harm.
            if (block[156] !== 0 && block.includes('ustar')) withChecksum(block, false);
          }
          const outcome = pushed(archive, step);
          expect(scanned(archive)).toEqual(outcome);
          if (outcome !== 'refused') accepted++;
        },
      ),
      { numRuns: 600 },
    );
    // A test in which everything is refused would show little.
    expect(accepted).toBeGreaterThan(50);
  });

  it('both readers agree on random blocks', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 512, maxLength: 512 }), { maxLength: 4 }), (blocks) => {
        const archive = Buffer.concat(blocks.map((block) => withChecksum(Buffer.from(block), false)));
        expect(scanned(archive)).toEqual(pushed(archive, 100));
      }),
      { numRuns: 100 },
    );
  });

  it('both readers agree on every cut', () => {
    for (let length = 0; length < base.length; length += 64) {
      const cut = base.subarray(0, length);
      expect(scanned(cut)).toEqual(pushed(cut, 999));
    }
  });

  it('both readers agree on the place of content in sound archives', () => {
    fc.assert(
      fc.property(fc.array(entryArbitrary(), { maxLength: 6 }), (members) => {
        const archive = writeTar(members);
        const outcome = pushed(archive, 300);
        expect(scanned(archive)).toEqual(outcome);
        expect(outcome).toHaveLength(members.length);
      }),
      { numRuns: 40 },
    );
  });
});
