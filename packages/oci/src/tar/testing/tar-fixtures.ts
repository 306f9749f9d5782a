import fc from 'fast-check';
import { type ByteString, toByteString } from '../../bytes.ts';
import { type TarEntry, type TarEntryType, TarReader, type TarReadOptions, TarWriter } from '../index.ts';

/** An entry together with its content, as tests compare them. */
export interface Member {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

/** A plain file's entry. */
export function fileEntry(path: string, size: number): TarEntry {
  return {
    path: toByteString(path),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtimeNs: 1_700_000_000_000_000_000n,
  };
}

/** The archive of these members. */
export function writeTar(members: readonly Member[]): Buffer {
  const chunks: Buffer[] = [];
  const writer = new TarWriter((chunk) => chunks.push(Buffer.from(chunk)));
  for (const { entry, content } of members) {
    writer.writeEntry(entry);
    if (content.length > 0) writer.writeData(content);
    writer.endEntry();
  }
  writer.finish();
  return Buffer.concat(chunks);
}

/** Reads an archive through the push reader in chunks of `step` bytes. */
export function readTar(archive: Buffer, step: number = archive.length, options: TarReadOptions = {}): Member[] {
  const members: { entry: TarEntry; content: Buffer[] }[] = [];
  const reader = new TarReader(
    {
      entry: (entry) => members.push({ entry, content: [] }),
      data: (chunk) => members.at(-1)?.content.push(Buffer.from(chunk)),
    },
    options,
  );
  for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
  reader.end();
  return members.map(({ entry, content }) => ({ entry, content: Buffer.concat(content) }));
}

const TYPES: readonly TarEntryType[] = ['file', 'hardlink', 'symlink', 'directory', 'char', 'block', 'fifo'];

/** Bytes of a name: any but NUL, not trimmed by the reader. */
function nameArbitrary(): fc.Arbitrary<ByteString> {
  const component = fc
    .uint8Array({ minLength: 1, maxLength: 90 })
    .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0xe9 : byte)))
    .filter((bytes) => bytes.some((byte) => byte !== 0x2e));
  const ascii = fc.stringMatching(/^[a-z]{1,60}$/).map((text) => Buffer.from(text));
  return fc
    .array(fc.oneof(ascii, component), { minLength: 1, maxLength: 5 })
    .map((parts) => toByteString(Buffer.concat(parts.flatMap((part) => [Buffer.from('/'), part])).subarray(1)));
}

/** Any entry that survives a round trip, with content for files. */
export function entryArbitrary(): fc.Arbitrary<Member> {
  const id = fc.oneof(fc.nat(70_000), fc.integer({ min: 2_000_000, max: 0xffff_ffff }));
  const time = fc.oneof(
    fc.nat(2_000_000_000).map((seconds) => BigInt(seconds) * 1_000_000_000n),
    fc.bigInt({ min: -(10n ** 19n), max: 10n ** 20n }),
  );
  const xattrs = fc.dictionary(
    fc.stringMatching(/^(user|security)\.[a-z%.]{1,10}$/),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { minKeys: 1, maxKeys: 3 },
  );
  return fc
    .record({
      path: nameArbitrary(),
      type: fc.constantFrom(...TYPES),
      mode: fc.nat(0o7777),
      uid: id,
      gid: id,
      mtimeNs: time,
      link: nameArbitrary(),
      device: fc.nat(0o7777777),
      names: fc.option(fc.stringMatching(/^[a-zäß]{1,40}$/)),
      xattrs: fc.option(xattrs),
      content: fc.uint8Array({ maxLength: 1600 }),
    })
    .map(({ path, type, mode, uid, gid, mtimeNs, link, device, names, xattrs, content }) => {
      const bytes = Buffer.from(type === 'file' ? content : []);
      const isLink = type === 'symlink' || type === 'hardlink';
      const isDevice = type === 'char' || type === 'block';
      const entry: TarEntry = {
        path,
        type,
        mode,
        uid,
        gid,
        ...(names === null ? {} : { uname: names, gname: names }),
        size: bytes.length,
        mtimeNs,
        ...(isLink ? { linkName: link } : {}),
        ...(isDevice ? { devMajor: device, devMinor: 7 } : {}),
        // The writer sorts attributes by name, as all PAX records.
        ...(xattrs === null ? {} : { xattrs: new Map(Object.entries(xattrs).sort(([a], [b]) => (a < b ? -1 : 1))) }),
      };
      return { entry, content: bytes };
    });
}
