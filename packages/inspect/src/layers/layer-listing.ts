import { deflateSync, inflateSync } from 'node:zlib';
import type { ByteString, ScannedEntry } from '@boxwright/oci';

/**
 * What an archive's entries were, small enough to be kept: read again without the layer. A listing is a header, then
 * packs of rows (length in four bytes, deflated lines), then an empty pack; without that it is torn and not read.
 */
const HEADER = 'boxwright-layer-listing 2\n';
/** Characters of lines in one pack, about. */
const packCharacters = 512 * 1024;
/** No row is longer than its names, attributes and sparse map may be. */
const maxPackBytes = 256 * 1024 * 1024;

/** An entry of a layer, and the SHA-256 of its content when it is a file that was read. */
export interface ListedEntry extends ScannedEntry {
  readonly sha256?: Buffer;
}

/** One entry as it is kept: numbers and texts in a fixed order, what is rare in an object at the end. */
type Row = readonly [
  path: ByteString,
  type: ScannedEntry['entry']['type'],
  mode: number,
  uid: number,
  gid: number,
  size: number,
  mtime: string,
  dataOffset: number,
  sha256: string,
  rare?: Rare,
];

interface Rare {
  readonly link?: ByteString;
  readonly device?: readonly [number, number];
  readonly xattrs?: readonly (readonly [name: string, base64: string])[];
  readonly sparse?: readonly (readonly [offset: number, length: number])[];
  readonly names?: readonly [user: string, group: string];
}

/** Packs entries as they come. */
export class ListingWriter {
  readonly #write: (bytes: Buffer) => void;
  #lines: string[] = [];
  #characters = 0;

  /** @param write takes the bytes; they may be kept */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
    write(Buffer.from(HEADER));
  }

  add({ entry, dataOffset, sparse, sha256 }: ListedEntry): void {
    const rare: Rare = {
      ...(entry.linkName === undefined ? {} : { link: entry.linkName }),
      ...(entry.devMajor === undefined ? {} : { device: [entry.devMajor, entry.devMinor ?? 0] }),
      ...(entry.xattrs === undefined
        ? {}
        : { xattrs: [...entry.xattrs].map(([name, value]) => [name, value.toString('base64')]) }),
      ...(sparse === undefined ? {} : { sparse: sparse.map(({ offset, length }) => [offset, length]) }),
      ...(entry.uname === undefined && entry.gname === undefined
        ? {}
        : { names: [entry.uname ?? '', entry.gname ?? ''] }),
    };
    const { path, type, mode, uid, gid, size, mtimeNs } = entry;
    const content = sha256?.toString('base64') ?? '';
    const row: Row = [path, type, mode, uid, gid, size, mtimeNs.toString(), dataOffset, content];
    const line = JSON.stringify(Object.keys(rare).length === 0 ? row : [...row, rare]);
    this.#lines.push(line);
    this.#characters += line.length + 1;
    if (this.#characters >= packCharacters) this.#flush();
  }

  /** Nothing may be added after it. */
  end(): void {
    this.#flush();
    this.#write(Buffer.alloc(4));
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const pack = deflateSync(this.#lines.join('\n'), { level: 1 });
    const length = Buffer.alloc(4);
    length.writeUInt32LE(pack.length);
    this.#write(length);
    this.#write(pack);
    this.#lines = [];
    this.#characters = 0;
  }
}

/** True when the bytes are a whole listing of this version. */
export function isListing(bytes: Buffer): boolean {
  if (bytes.subarray(0, HEADER.length).toString('latin1') !== HEADER) return false;
  let at = HEADER.length;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    if (length === 0) return at + 4 === bytes.length;
    at += 4 + length;
  }
  return false;
}

/**
 * The entries of a listing that {@link ListingWriter} packed, one after the other. For bytes that {@link isListing} and
 * that are known to be those that were written.
 */
export function* readListing(bytes: Buffer): Generator<ListedEntry, void, undefined> {
  const times = new Times();
  let at = HEADER.length;
  for (let length = bytes.readUInt32LE(at); length > 0; length = bytes.readUInt32LE(at)) {
    const pack = inflateSync(bytes.subarray(at + 4, at + 4 + length), { maxOutputLength: maxPackBytes }).toString();
    for (const line of pack.split('\n')) yield listedEntry(line, times);
    at += 4 + length;
  }
}

function listedEntry(line: string, times: Times): ListedEntry {
  // The cast: the file is ours, its digest was right, and its version is this one.
  const [path, type, mode, uid, gid, size, mtime, dataOffset, sha256, rare] = JSON.parse(line) as Row;
  const plain = { path, type, mode, uid, gid, size, mtimeNs: times.of(mtime) };
  const content = sha256 === '' ? {} : { sha256: Buffer.from(sha256, 'base64') };
  // Most entries have nothing rare: plain objects of one shape are the smallest ones.
  if (rare === undefined) return { entry: plain, dataOffset, ...content };
  const { link, device, xattrs, sparse, names } = rare;
  return {
    entry: {
      ...plain,
      ...(link === undefined ? {} : { linkName: link }),
      ...(device === undefined ? {} : { devMajor: device[0], devMinor: device[1] }),
      ...(xattrs === undefined
        ? {}
        : { xattrs: new Map(xattrs.map(([name, value]) => [name, Buffer.from(value, 'base64')])) }),
      ...(names === undefined ? {} : { uname: names[0], gname: names[1] }),
    },
    dataOffset,
    ...(sparse === undefined ? {} : { sparse: sparse.map(([offset, length]) => ({ offset, length })) }),
    ...content,
  };
}

/** Files that were written together often have the same time: one number for all of them. */
class Times {
  #text = '0';
  #value = 0n;

  of(text: string): bigint {
    if (text !== this.#text) {
      this.#text = text;
      this.#value = BigInt(text);
    }
    return this.#value;
  }
}
