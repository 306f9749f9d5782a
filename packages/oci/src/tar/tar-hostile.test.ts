import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanTar, TarReader, type TarReadOptions } from './index.ts';
import { endMark, paxHeader, rawEntry, rawHeader } from './testing/raw-tar.ts';
import { entryArbitrary, fileEntry, readTar, writeTar } from './testing/tar-fixtures.ts';

const CONTENT = Buffer.from('hello');
const FILE = rawEntry({ name: 'file', size: 5 }, CONTENT);

/** Both readers refuse, at this byte, and agree on it. */
function expectRefused(archive: Buffer, what: RegExp, offset: number, options: TarReadOptions = {}): void {
  const refusal = { code: 'TAR_INVALID', message: expect.stringMatching(what), details: { offset } };
  expect(() => readTar(archive, 100, options)).toThrow(expect.objectContaining(refusal));
  expect(() => scanAll(archive, options)).toThrow(expect.objectContaining(refusal));
}

function scanAll(archive: Buffer, options: TarReadOptions): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-tar-'));
  try {
    const file = join(directory, 'a.tar');
    writeFileSync(file, archive);
    const fd = openSync(file, 'r');
    try {
      return [...scanTar(fd, options)].map(({ entry }) => entry.path);
    } finally {
      closeSync(fd);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function pathsOf(...parts: Buffer[]): string[] {
  const archive = Buffer.concat([...parts, endMark()]);
  const paths = readTar(archive).map(({ entry }) => entry.path);
  expect(scanAll(archive, {})).toEqual(paths);
  return paths;
}

describe('truncated archives (U9)', () => {
  it('a prefix of an archive is a prefix of its members, or TAR_INVALID', () => {
    fc.assert(
      fc.property(fc.array(entryArbitrary(), { minLength: 1, maxLength: 4 }), fc.nat(), (members, cut) => {
        const archive = writeTar(members);
        const prefix = archive.subarray(0, cut % archive.length);
        let found: unknown[];
        try {
          found = readTar(prefix, 777);
        } catch (error) {
          expect(error).toMatchObject({ code: 'TAR_INVALID' });
          expect(() => scanAll(prefix, {})).toThrow(expect.objectContaining({ code: 'TAR_INVALID' }));
          return;
        }
        expect(prefix.length % 512).toBe(0);
        expect(members.slice(0, found.length)).toEqual(found);
        expect(scanAll(prefix, {})).toHaveLength(found.length);
      }),
      { numRuns: 200 },
    );
  });

  it('accepts a missing end mark after a whole entry, as GNU tar and Go do', () => {
    expect(readTar(FILE)).toHaveLength(1);
    expect(readTar(Buffer.concat([FILE, Buffer.alloc(512)]))).toHaveLength(1);
    expect(readTar(Buffer.alloc(0))).toHaveLength(0);
    expect(scanAll(FILE, {})).toEqual(['file']);
  });

  it('refuses missing padding, which GNU tar refuses too', () => {
    expectRefused(FILE.subarray(0, 512 + 5), /middle of an entry/, 517);
  });

  it('ignores what follows the end mark', () => {
    expect(readTar(Buffer.concat([FILE, endMark(), Buffer.from('junk')]), 7)).toHaveLength(1);
    expect(scanAll(Buffer.concat([FILE, endMark(), Buffer.from('junk')]), {})).toEqual(['file']);
  });

  it('refuses entries after a lone zero block', () => {
    expectRefused(Buffer.concat([FILE, Buffer.alloc(512), FILE]), /lone zero block/, 1536);
  });

  it('refuses an end after an extended header', () => {
    const pax = paxHeader('x', [['path', 'late']]);
    expectRefused(Buffer.concat([FILE, pax, endMark()]), /ends after an extended header/, 2048);
    expectRefused(Buffer.concat([FILE, pax]), /middle of an entry/, 2048);
  });
});

describe('headers', () => {
  it.each<[string, Buffer, RegExp]>([
    ['what is not a tar', Buffer.alloc(512, 'gzip'), /checksum/],
    ['one flipped bit', flipped(rawHeader({ name: 'a' }), 3), /checksum/],
    ['a size with letters', rawHeader({ name: 'a', fields: { 124: '12x' } }), /size field is not an octal number/],
    ['digits after blanks', rawHeader({ name: 'a', fields: { 124: '12 7' } }), /size field is not an octal number/],
    ['a negative size', rawHeader({ name: 'a', fields: { 124: `\u00ff${'\u00ff'.repeat(11)}` } }), /size is negative/],
    [
      'a size beyond 2^53',
      rawHeader({ name: 'a', fields: { 124: `\u0080${'\u00ff'.repeat(11)}` } }),
      /size field is too big/,
    ],
    ['a negative uid', rawHeader({ name: 'a', fields: { 108: '\u00ff'.repeat(8) } }), /uid -1 is out of range/],
    ['an unknown type', rawHeader({ name: 'a', type: 'V' }), /type "V"/],
    ['a type of control characters', rawHeader({ name: 'a', type: '\u001b' }), /type "\\u001b"/],
    ['a file without a name', rawHeader({ name: '' }), /file has no name/],
    ['a symlink named like the root', rawHeader({ name: './', type: '2', linkName: 'x' }), /symlink has no name/],
    ['a link without a target', rawHeader({ name: 'a', type: '2' }), /symlink has no target/],
    ['a hard link to the root', rawHeader({ name: 'a', type: '1', linkName: './' }), /the root for a target/],
    ['a device with a letter', rawHeader({ name: 'a', type: '3', fields: { 329: 'x' } }), /devmajor/],
  ])('refuses %s', (_name, header, what) => {
    expectRefused(Buffer.concat([FILE, header, endMark()]), what, 1024);
  });

  it('takes content only from files, as Go does, whatever the size of the others says', () => {
    const link = rawHeader({ name: 'l', type: '2', linkName: 't', fields: { 124: '00000001000\0' } });
    expect(pathsOf(link, FILE)).toEqual(['l', 'file']);
  });
});

describe('extended headers (U7)', () => {
  const entry = rawEntry({ name: 'short', size: 5 }, CONTENT);

  it('PAX size rules over ustar size, so that no header hides in content', () => {
    const hidden = rawEntry({ name: 'hidden', size: 0 }, Buffer.alloc(0));
    const outer = rawEntry({ name: 'outer', size: 0 }, Buffer.alloc(0));
    expect(pathsOf(paxHeader('x', [['size', '512']]), outer, hidden, FILE)).toEqual(['outer', 'file']);
  });

  it('PAX records pass over a GNU long name and apply to the next real entry, once', () => {
    const long = rawEntry({ name: '././@LongLink', type: 'L', size: 5 }, Buffer.from('long\0'));
    expect(pathsOf(paxHeader('x', [['size', '5']]), long, entry, FILE)).toEqual(['long', 'file']);
    const archive = Buffer.concat([paxHeader('x', [['uid', '7']]), entry, entry, endMark()]);
    expect(readTar(archive).map((member) => member.entry.uid)).toEqual([7, 0]);
  });

  it('a second PAX header replaces the first', () => {
    expect(pathsOf(paxHeader('x', [['path', 'one']]), paxHeader('x', [['uid', '1']]), entry)).toEqual(['short']);
  });

  it('a global header is ignored, as container engines do, unless POSIX is asked for', () => {
    const records: [string, string][] = [
      ['path', 'evil'],
      ['size', '0'],
      ['uid', '42'],
      ['mtime', '1.5'],
    ];
    const archive = Buffer.concat([paxHeader('g', records), entry, paxHeader('x', [['uid', '1']]), entry, endMark()]);
    expect(readTar(archive)[0]?.entry).toMatchObject({ path: 'short', uid: 0, mtimeNs: 0n, size: 5 });
    const posix = readTar(archive, 512, { globalPax: 'apply' });
    expect(posix[0]?.entry).toMatchObject({ path: 'short', uid: 42, mtimeNs: 1_500_000_000n, size: 5 });
    expect(posix[1]?.entry).toMatchObject({ uid: 1, mtimeNs: 1_500_000_000n });
  });

  it.each<[string, Buffer]>([
    ['a NUL in a path', paxHeader('x', [['path', 'a\0b']])],
    ['a NUL in a link', paxHeader('x', [['linkpath', 'a\0b']])],
    ['a NUL in a key', paxHeader('x', [['a\0b', 'c']])],
    ['a negative size', paxHeader('x', [['size', '-1']])],
    ['a size that is no number', paxHeader('x', [['size', '5 ']])],
    ['a size beyond 2^53', paxHeader('x', [['size', '9007199254740993']])],
    ['a time that is no number', paxHeader('x', [['mtime', '1e3']])],
    ['the same in a global header', paxHeader('g', [['mtime', '1e3']])],
    ['a record longer than the header', rawPax('30 path=x\n')],
    ['a record without a length', rawPax('path=x\n')],
    ['a record without a newline', rawPax('9 path=xy')],
    ['a record without a key', rawPax('5 =x\n')],
    ['a record whose length ends inside the key', rawPax('5 path=x\n')],
    ['zeros after the records', rawPax('10 path=x\n\0\0')],
    ['a length of ten digits', rawPax('0000000010 path=x\n')],
  ])('refuses %s', (_name, header) => {
    const archive = Buffer.concat([header, entry, endMark()]);
    expect(() => readTar(archive, 100)).toThrow(expect.objectContaining({ code: 'TAR_INVALID' }));
    expect(() => scanAll(archive, {})).toThrow(expect.objectContaining({ code: 'TAR_INVALID' }));
  });

  it('keeps values with newlines, equals signs and any byte; empty values take records back', () => {
    const xattr = Buffer.from([0, 10, 61, 255, 128, 10]);
    const header = paxHeader('x', [
      ['SCHILY.xattr.user.any', xattr.toString('latin1')],
      ['SCHILY.xattr.user.empty', ''],
      ['path', 'first'],
      ['path', 'a=b\nc'],
      ['uid', '9'],
      ['uid', ''],
      ['hdrcharset', 'BINARY'],
      ['comment', 'nobody reads this'],
    ]);
    const [member] = readTar(Buffer.concat([header, entry, endMark()]), 13);
    expect(member?.entry).toMatchObject({ path: 'a=b\nc', uid: 0 });
    expect([...(member?.entry.xattrs ?? [])]).toEqual([
      ['user.any', xattr],
      ['user.empty', Buffer.alloc(0)],
    ]);
  });
});

describe('bombs (U8)', () => {
  it('refuses huge extended headers before reading them', () => {
    for (const type of ['x', 'g', 'L', 'K']) {
      expectRefusedLimit(rawHeader({ name: 'h', type, size: 1024 * 1024 + 1 }), 'maxMetadataBytes');
    }
  });

  it('refuses too many entries, names too long, extended headers without end', () => {
    const many = writeTar(Array.from({ length: 4 }, () => ({ entry: fileEntry('a', 0), content: Buffer.alloc(0) })));
    expect(() => readTar(many, 512, { limits: { maxEntries: 3 } })).toThrow(/too many entries/);
    expectRefusedLimit(paxHeader('x', [['path', 'a'.repeat(5000)]]), 'maxPathBytes');
    const endless = Buffer.concat(Array.from({ length: 65 }, () => paxHeader('g', [['comment', 'x']])));
    expectRefused(endless, /too many extended headers/, 64 * 1024);
  });

  function expectRefusedLimit(header: Buffer, limit: string): void {
    const archive = Buffer.concat([header, FILE, endMark()]);
    const refusal = { code: 'TAR_INVALID', details: { offset: expect.any(Number), limit } };
    expect(() => readTar(archive)).toThrow(expect.objectContaining(refusal));
    expect(() => scanAll(archive, {})).toThrow(expect.objectContaining(refusal));
  }
});

describe('a reader that has failed', () => {
  it('refuses to go on, whether the archive or the handler was at fault', () => {
    const failing = new TarReader({
      entry() {
        throw new Error('disk full');
      },
    });
    expect(() => failing.push(FILE)).toThrow('disk full');
    expect(() => failing.push(FILE)).toThrow(/after a failure/);
    expect(() => failing.end()).toThrow(/after a failure/);
  });
});

function flipped(block: Buffer, at: number): Buffer {
  block[at] = (block[at] ?? 0) ^ 0x10;
  return block;
}

function rawPax(content: string): Buffer {
  return rawEntry({ name: 'pax', type: 'x', size: content.length }, Buffer.from(content, 'latin1'));
}
