import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toByteString } from '../bytes.ts';
import { type TarEntry, TarWriter } from './index.ts';
import { fileEntry, readTar, writeTar } from './testing/tar-fixtures.ts';

const NO_CONTENT = Buffer.alloc(0);

function header(entry: Partial<TarEntry>): Buffer {
  return writeTar([{ entry: { ...fileEntry('name', 0), ...entry }, content: NO_CONTENT }]);
}

/** The records and the name of the PAX header an entry gets, or undefined when it gets none. */
function paxOf(entry: Partial<TarEntry>): { name: string; records: string } | undefined {
  const archive = header(entry);
  if (text(archive, 156, 1) !== 'x') return undefined;
  const size = Number.parseInt(text(archive, 124, 12), 8);
  return { name: text(archive, 0, 100), records: archive.toString('latin1', 512, 512 + size) };
}

function text(block: Buffer, at: number, length: number): string {
  return block.toString('latin1', at, at + length).replace(/\0+$/, '');
}

describe('the form of the archive: that of Go in PAX format', () => {
  it('a plain header, field by field', () => {
    const archive = header({
      path: toByteString('etc/motd'),
      mode: 0o4644,
      uid: 1000,
      gid: 50,
      mtimeNs: 1_600_000_000n * 10n ** 9n,
    });
    expect(archive).toHaveLength(512 + 1024);
    const fields = [
      ['etc/motd'.padEnd(100, '\0')],
      ['0004644\0', '0001750\0', '0000062\0', '00000000000\0', '13727410000\0'],
      ['010716\0 ', '0', '\0'.repeat(100)],
      ['ustar\u000000', '\0'.repeat(64), '0000000\0', '0000000\0', '\0'.repeat(167)],
    ].flat();
    expect(archive.toString('latin1', 0, 512)).toBe(fields.join(''));
    expect(archive.subarray(512).equals(Buffer.alloc(1024))).toBe(true);
  });

  it('directories end with a slash, the root is ./', () => {
    expect(text(header({ path: toByteString('usr/bin'), type: 'directory' }), 0, 100)).toBe('usr/bin/');
    expect(text(header({ path: toByteString(''), type: 'directory' }), 0, 100)).toBe('./');
  });

  it('only files have a size', () => {
    expect(text(header({ type: 'hardlink', linkName: toByteString('x'), size: 9 }), 124, 11)).toBe('00000000000');
  });

  it.each<[string, Partial<TarEntry>, { name: string; records: string } | undefined]>([
    ['100 bytes of name', { path: toByteString('n'.repeat(100)) }, undefined],
    ['the last id that fits', { uid: 0o7777777, gid: 0o7777777 }, undefined],
    [
      'a time with a fraction',
      { mtimeNs: 1_600_000_000_120_000_000n },
      { name: 'PaxHeaders.0/name', records: '23 mtime=1600000000.12\n' },
    ],
    ['a time before 1970', { mtimeNs: -1_500_000_000n }, { name: 'PaxHeaders.0/name', records: '14 mtime=-1.5\n' }],
    ['the first id that does not fit', { uid: 2 ** 21 }, { name: 'PaxHeaders.0/name', records: '15 uid=2097152\n' }],
    [
      'a name of two bytes that are not ASCII',
      { path: toByteString('d/\u00e9') },
      { name: 'd/PaxHeaders.0', records: '13 path=d/\u00c3\u00a9\n' },
    ],
    [
      'a long name in a directory',
      { path: toByteString(`dir/${'n'.repeat(97)}`) },
      { name: `dir/PaxHeaders.0/${'n'.repeat(83)}`, records: `111 path=dir/${'n'.repeat(97)}\n` },
    ],
    [
      'a directory: its slash is part of the name',
      { path: toByteString('n'.repeat(100)), type: 'directory' },
      { name: 'n'.repeat(100), records: `111 path=${'n'.repeat(100)}/\n` },
    ],
    [
      'several records, sorted by key',
      {
        uid: 3_000_000,
        gid: 3_000_000,
        mtimeNs: 1n,
        xattrs: new Map([
          ['user.b', Buffer.from([0xff, 0, 10])],
          ['user.a', NO_CONTENT],
        ]),
      },
      {
        name: 'PaxHeaders.0/name',
        records:
          '24 SCHILY.xattr.user.a=\n27 SCHILY.xattr.user.b=\u00ff\0\n\n15 gid=3000000\n21 mtime=0.000000001\n15 uid=3000000\n',
      },
    ],
    [
      'a long link',
      { linkName: toByteString('l'.repeat(101)), type: 'symlink' },
      { name: 'PaxHeaders.0/name', records: `115 linkpath=${'l'.repeat(101)}\n` },
    ],
    [
      'a user name that is not ASCII',
      { uname: 'j\u00f6rg' },
      { name: 'PaxHeaders.0/name', records: '15 uname=j\u00c3\u00b6rg\n' },
    ],
  ])('%s', (_name, entry, pax) => {
    expect(paxOf(entry)).toEqual(pax);
  });

  it('the length of a record counts itself, whatever its digits', () => {
    for (let length = 1; length < 1100; length++) {
      const path = toByteString('\u00e9'.repeat(length));
      expect(readTar(header({ path }))[0]?.entry.path).toBe(path);
    }
  });

  it('a name that is cut after a slash does not end with it, lest a file look like a directory', () => {
    const archive = header({ path: toByteString(`${'n'.repeat(99)}/file`) });
    const at = archive.length - 1024 - 512;
    expect(text(archive, at, 100)).toBe('n'.repeat(99));
  });
});

describe('what cannot be written', () => {
  it.each<[string, Partial<TarEntry>]>([
    ['a file without a name', { path: toByteString('') }],
    ['a name with a NUL', { path: toByteString('a\0b') }],
    ['a link without a target', { type: 'symlink' }],
    ['a fraction of a byte', { size: 0.5 }],
    ['a negative uid', { uid: -1 }],
    ['a gid of 33 bits', { gid: 2 ** 32 }],
    ['a device number of 22 bits', { type: 'char', devMajor: 2 ** 21 }],
    ['an attribute with an equals sign', { xattrs: new Map([['user.a=b', NO_CONTENT]]) }],
    ['attributes of more than 1 MiB', { xattrs: new Map([['user.a', Buffer.alloc(1024 * 1024)]]) }],
  ])('%s', (_name, entry) => {
    expect(() => header(entry)).toThrow(expect.objectContaining({ code: 'TAR_WRITE' }));
  });

  it('more or less content than the size', () => {
    const writer = new TarWriter(() => undefined);
    writer.writeEntry(fileEntry('a', 3));
    expect(() => writer.writeData(Buffer.alloc(4))).toThrow(/more content than its size/);
    writer.writeData(Buffer.alloc(2));
    expect(() => writer.endEntry()).toThrow(/1 bytes of its content are missing/);
    expect(() => writer.writeEntry(fileEntry('b', 0))).toThrow(expect.objectContaining({ code: 'TAR_WRITE' }));
  });

  it('names are escaped in messages', () => {
    expect(() => header({ path: toByteString('\u001b[2J'), size: -1 })).toThrow(String.raw`\x1b[2J`);
  });
});

describe('writeFileContent', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'boxwright-writer-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function pack(sizes: readonly number[], spoil?: (path: string) => void): Buffer {
    const chunks: Buffer[] = [];
    const writer = new TarWriter((chunk) => chunks.push(Buffer.from(chunk)));
    for (const [index, size] of sizes.entries()) {
      const path = join(directory, `file${index}`);
      writeFileSync(path, Buffer.alloc(size, index + 1));
      writer.writeEntry(fileEntry(`file${index}`, size));
      spoil?.(path);
      const fd = openSync(path, 'r');
      try {
        writer.writeFileContent(fd, size);
      } finally {
        closeSync(fd);
      }
      writer.endEntry();
    }
    writer.finish();
    return Buffer.concat(chunks);
  }

  it('packs files across and beyond the blocks handed to the sink', () => {
    const sizes = [0, 1, 511, 512, 513, 1024 * 1024 - 512 * 9, 1024 * 1024, 3 * 1024 * 1024 + 1, 5];
    const members = readTar(pack(sizes), 70_000);
    expect(members.map(({ entry }) => entry.size)).toEqual(sizes);
    expect(members.every(({ content }, index) => content.equals(Buffer.alloc(sizes[index] ?? 0, index + 1)))).toBe(
      true,
    );
  });

  it('cuts a file that has grown', () => {
    const members = readTar(pack([3000], (path) => writeFileSync(path, Buffer.alloc(9000, 1))));
    expect(members[0]?.content.equals(Buffer.alloc(3000, 1))).toBe(true);
  });

  it('fails when a file has shrunk, and says which and by how much', () => {
    const shrink = (path: string): void => {
      const fd = openSync(path, 'r+');
      ftruncateSync(fd, 1000);
      closeSync(fd);
    };
    expect(() => pack([3000], shrink)).toThrow(
      expect.objectContaining({ code: 'FILE_CHANGED', details: { path: 'file0', missing: 2000 } }),
    );
  });
});

describe('offset', () => {
  it('is where the content of the open entry begins', () => {
    const writer = new TarWriter(() => undefined);
    writer.writeEntry(fileEntry('a', 3));
    expect(writer.offset).toBe(512);
    writer.writeData(Buffer.alloc(3));
    writer.writeEntry(fileEntry('n'.repeat(101), 2 * 1024 * 1024));
    expect(writer.offset).toBe(512 + 512 + 1024 + 512);
    writer.writeData(Buffer.alloc(2 * 1024 * 1024));
    writer.finish();
    expect(writer.offset).toBe(2560 + 2 * 1024 * 1024 + 1024);
  });
});
