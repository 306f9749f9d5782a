import { describe, expect, it } from 'vitest';
import { toByteString } from '../bytes.ts';
import { type TarEntry, TarReader, TarWriter } from './index.ts';
import { endMark, padded, paxHeader, rawEntry, rawHeader, withChecksum } from './testing/raw-tar.ts';
import { fileEntry, readTar } from './testing/tar-fixtures.ts';

function entriesOf(...parts: Buffer[]): TarEntry[] {
  return readTar(Buffer.concat([...parts, endMark()]), 100).map(({ entry }) => entry);
}

describe('dialects', () => {
  it('ustar: prefix and name', () => {
    expect(entriesOf(rawHeader({ name: 'name', fields: { 345: 'a/prefix' } }))[0]?.path).toBe('a/prefix/name');
  });

  it('V7: nothing beyond the link name counts', () => {
    const [entry] = entriesOf(rawHeader({ name: 'name', magic: 'none', fields: { 265: 'user', 345: 'prefix' } }));
    expect(entry).toMatchObject({ path: 'name' });
    expect(entry).not.toHaveProperty('uname');
  });

  it('V7: a name with a slash at the end is a directory, only without a type', () => {
    const types = entriesOf(
      rawHeader({ name: 'a/', type: '\0', magic: 'none' }),
      rawHeader({ name: 'b', type: '\0', magic: 'none' }),
      rawHeader({ name: 'c/', type: '0' }),
    ).map(({ path, type }) => [path, type]);
    expect(types).toEqual([
      ['a', 'directory'],
      ['b', 'file'],
      ['c', 'file'],
    ]);
  });

  it('GNU: no prefix, but times in its place', () => {
    const times = { 345: '14000000000\0', 357: '14000000000\0' };
    expect(entriesOf(rawHeader({ name: 'n', magic: 'gnu', fields: times }))[0]?.path).toBe('n');
  });

  it('GNU magic with a ustar prefix, as Go wrote it before 1.8 and old layers have it', () => {
    expect(entriesOf(rawHeader({ name: 'n', magic: 'gnu', fields: { 345: 'usr/share' } }))[0]?.path).toBe(
      'usr/share/n',
    );
  });

  it('star: a shorter prefix, times after it', () => {
    const fields = { 345: 'p', 476: '14000000000\0', 508: 'tar\0' };
    expect(entriesOf(rawHeader({ name: 'n', fields }))[0]?.path).toBe('p/n');
  });

  it('contiguous files are files', () => {
    expect(entriesOf(rawEntry({ name: 'n', type: '7', size: 3 }, Buffer.from('abc')))[0]).toMatchObject({
      type: 'file',
      size: 3,
    });
  });

  it('a checksum of signed bytes', () => {
    const block = withChecksum(rawHeader({ name: 'f\u00fcr' }), true);
    expect(entriesOf(block)[0]?.path).toBe('f\u00fcr');
  });

  it('numbers with blanks before and after', () => {
    const fields = { 108: '   17 \0\0', 116: '\0\0\0\0\0\0\0\0', 124: '        3   ' };
    expect(entriesOf(rawEntry({ name: 'n', fields }, Buffer.from('abc')))[0]).toMatchObject({
      uid: 15,
      gid: 0,
      size: 3,
    });
  });

  it('base-256 numbers, negative ones too', () => {
    const uid = `\u0080\0\0\0${String.fromCharCode(0, 0x2d, 0xc6, 0xc0)}`;
    // -315 619 199.5 s would be 1960; base-256 has whole seconds only.
    const mtime = Buffer.alloc(12, 0xff);
    mtime.writeBigInt64BE(-315_619_200n, 4);
    const [entry] = entriesOf(rawHeader({ name: 'n', fields: { 108: uid, 136: mtime.toString('latin1') } }));
    expect(entry).toMatchObject({ uid: 3_000_000, mtimeNs: -315_619_200_000_000_000n });
  });

  it.each([
    ['1.5', 1_500_000_000n],
    ['-1.5', -1_500_000_000n],
    ['-0.000000001', -1n],
    ['1.1234567899', 1_123_456_789n],
    ['12.', 12_000_000_000n],
    ['', 0n],
  ])('a PAX time of %s', (text, nanoseconds) => {
    expect(entriesOf(paxHeader('x', [['mtime', text]]), rawHeader({ name: 'n' }))[0]?.mtimeNs).toBe(nanoseconds);
  });

  it('long names and links end at their first NUL', () => {
    const name = Buffer.from(`${'n'.repeat(200)}\0rest`);
    const link = Buffer.from(`${'l'.repeat(300)}\0`);
    const [entry] = entriesOf(
      rawEntry({ name: '././@LongLink', type: 'L', size: name.length, magic: 'gnu' }, name),
      rawEntry({ name: '././@LongLink', type: 'K', size: link.length, magic: 'gnu' }, link),
      rawHeader({ name: 'n', type: '2', linkName: 'l', magic: 'gnu' }),
    );
    expect(entry).toMatchObject({ path: 'n'.repeat(200), linkName: 'l'.repeat(300), type: 'symlink' });
  });
});

describe('sparse files', () => {
  const data = Buffer.from('AAAABB');
  const expanded = Buffer.from('\0\0AAAA\0\0\0BB\0\0\0\0', 'latin1');

  it.each([
    ['0.0', [['GNU.sparse.size', '15'], ['GNU.sparse.numblocks', '2'], ...pairs([2, 4, 9, 2])]],
    [
      '0.1',
      [
        ['GNU.sparse.map', '2,4,9,2'],
        ['GNU.sparse.name', 'real'],
        ['GNU.sparse.size', '15'],
      ],
    ],
    [
      '0.1 with an empty run',
      [
        ['GNU.sparse.map', '2,4,9,2,15,0'],
        ['GNU.sparse.name', 'real'],
        ['GNU.sparse.size', '15'],
      ],
    ],
  ] as const)('PAX %s', (_version, records) => {
    const [member] = readTar(
      Buffer.concat([paxHeader('x', records), rawEntry({ name: 'real', size: 6 }, data), endMark()]),
      3,
    );
    expect(member?.entry).toMatchObject({ path: 'real', size: 15 });
    expect(member?.content).toEqual(expanded);
  });

  it('PAX 1.0, at every split', () => {
    const header = paxHeader('x', version1('15'));
    const content = Buffer.concat([padded(Buffer.from('2\n2\n4\n9\n2\n')), data]);
    const archive = Buffer.concat([header, rawEntry({ name: 'x', size: content.length }, content), endMark()]);
    for (let step = 1; step < archive.length; step += 7) {
      const [member] = readTar(archive, step);
      expect(member?.entry).toMatchObject({ path: 'real', size: 15 });
      expect(member?.content).toEqual(expanded);
    }
  });

  it.each([
    ['overlapping runs', '2,4,5,2', '15'],
    ['runs going backwards', '9,2,2,4', '15'],
    ['a run beyond the end', '2,4,14,2', '15'],
    ['less stored than the map says', '2,4,9,3', '15'],
    ['more stored than the map says', '2,4', '15'],
    ['half a pair', '2,4,9', '15'],
    ['negative numbers', '2,4,-9,2', '15'],
  ])('refuses %s', (_name, map, size) => {
    const records = paxHeader('x', [
      ['GNU.sparse.map', map],
      ['GNU.sparse.size', size],
    ]);
    const archive = Buffer.concat([records, rawEntry({ name: 'x', size: 6 }, data), endMark()]);
    expect(() => readTar(archive)).toThrow(expect.objectContaining({ code: 'TAR_INVALID' }));
  });

  it('refuses maps without end, with letters, with too many pairs, and unknown versions', () => {
    for (const map of ['2\n2\n4\n', '2\nx\n', `${'9'.repeat(20)}\n`, '\n']) {
      const content = Buffer.concat([Buffer.from(map.padEnd(512, map.endsWith('4\n') ? '1' : '\0')), data]);
      const archive = Buffer.concat([
        paxHeader('x', version1('15')),
        rawEntry({ name: 'x', size: content.length }, content),
      ]);
      expect(() => readTar(archive)).toThrow(expect.objectContaining({ code: 'TAR_INVALID' }));
    }
    const later = paxHeader('x', [
      ['GNU.sparse.major', '2'],
      ['GNU.sparse.minor', '0'],
    ]);
    expect(() => readTar(Buffer.concat([later, rawEntry({ name: 'x', size: 6 }, data)]))).toThrow(
      /version of the sparse/,
    );
  });

  it('refuses files whose holes are out of all proportion, unless asked', () => {
    const size = 100 * 1024 ** 3;
    const records = paxHeader('x', [
      ['GNU.sparse.map', '2,4,9,2'],
      ['GNU.sparse.size', String(size)],
    ]);
    const archive = Buffer.concat([records, rawEntry({ name: 'x', size: 6 }, data), endMark()]);
    expect(() => readTar(archive)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ limit: 'maxSparseBytes' }) }),
    );
    let holes = 0;
    let bytes = 0;
    const reader = new TarReader(
      {
        entry: ({ size: real }) => expect(real).toBe(size),
        data: (chunk) => {
          bytes += chunk.length;
        },
        hole: (length) => {
          holes += length;
        },
      },
      { limits: { maxSparseBytes: size } },
    );
    reader.push(archive);
    reader.end();
    expect([bytes, bytes + holes]).toEqual([6, size]);
  });
});

describe('sizes beyond 8 GiB', () => {
  it('go through writer and reader without being held in memory', () => {
    const size = 9 * 1024 ** 3;
    const chunk = Buffer.alloc(4 * 1024 * 1024);
    let bytes = 0;
    const entries: TarEntry[] = [];
    const reader = new TarReader({
      entry: (entry) => entries.push(entry),
      data: (piece) => {
        bytes += piece.length;
      },
    });
    const writer = new TarWriter((piece) => reader.push(piece));
    writer.writeEntry(fileEntry('big', size));
    for (let at = 0; at < size; at += chunk.length) writer.writeData(chunk);
    writer.writeEntry(fileEntry('after', 0));
    writer.finish();
    reader.end();
    expect(bytes).toBe(size);
    expect(entries.map(({ path, size: length }) => [path, length])).toEqual([
      [toByteString('big'), size],
      ['after', 0],
    ]);
  });
});

function pairs(map: readonly number[]): [string, string][] {
  return map.map((number, index) => [index % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes', String(number)]);
}

function version1(size: string): [string, string][] {
  return [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'real'],
    ['GNU.sparse.realsize', size],
  ];
}
