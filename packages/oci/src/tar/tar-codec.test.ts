import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toByteString } from '../bytes.ts';
import { readScannedContent, scanTar, type TarEntry } from './index.ts';
import { entryArbitrary, fileEntry, readTar, writeTar } from './testing/tar-fixtures.ts';

describe('tar round trip', () => {
  it('keeps any entry that a layer may hold, whatever the chunks', () => {
    fc.assert(
      fc.property(fc.array(entryArbitrary(), { maxLength: 8 }), fc.integer({ min: 1, max: 3000 }), (members, step) => {
        const archive = writeTar(members);
        expect(readTar(archive, step)).toEqual(members);
      }),
    );
  });

  it('reads the same at every split of an archive', () => {
    const members = [
      { entry: fileEntry('a'.repeat(150), 700), content: Buffer.alloc(700, 7) },
      { entry: { ...fileEntry('d', 0), type: 'directory' as const }, content: Buffer.alloc(0) },
    ];
    const archive = writeTar(members);
    for (let step = 1; step < archive.length; step++) expect(readTar(archive, step)).toEqual(members);
  });

  it('scans the same entries, and where their content lies', () => {
    const directory = mkdtempSync(join(tmpdir(), 'boxwright-tar-'));
    try {
      fc.assert(
        fc.property(fc.array(entryArbitrary(), { maxLength: 8 }), (members) => {
          const file = join(directory, 'a.tar');
          writeFileSync(file, writeTar(members));
          const fd = openSync(file, 'r');
          const found: { entry: TarEntry; content: Buffer }[] = [];
          for (const scanned of scanTar(fd)) {
            const chunks: Buffer[] = [];
            readScannedContent(fd, scanned, (chunk) => chunks.push(Buffer.from(chunk)));
            found.push({ entry: scanned.entry, content: Buffer.concat(chunks) });
          }
          closeSync(fd);
          expect(found).toEqual(members);
        }),
        { numRuns: 40 },
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('writes the same bytes each time', () => {
    fc.assert(
      fc.property(fc.array(entryArbitrary(), { maxLength: 4 }), (members) => {
        expect(writeTar(members).equals(writeTar(members))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('trims leading ./ and / and trailing / of names, and knows the root', () => {
    const members = ['./a', '/b', '././/c', 'd/', './', '.'].map((path) => ({
      entry: { ...fileEntry(path, 0), type: 'directory' as const },
      content: Buffer.alloc(0),
    }));
    expect(readTar(writeTar(members), 512).map(({ entry }) => entry.path)).toEqual(['a', 'b', 'c', 'd', '', '']);
    expect(toByteString('é')).toBe('\u00c3\u00a9');
  });
});
