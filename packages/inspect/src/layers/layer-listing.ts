import { deflateSync, inflateSync } from 'node:zlib';
import type { ByteString, ScannedEntry } from '@boxwright/oci';

/** What an archive's entries were, small enough to be kept: read again without the layer. */
const HEADER = 'boxwright-layer-listing 1\n';
/** A listing of a million files has about 80 MB. */
const maxBytes = 1024 ** 3;

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
  rare?: Rare,
];

interface Rare {
  readonly link?: ByteString;
  readonly device?: readonly [number, number];
  readonly xattrs?: readonly (readonly [name: string, base64: string])[];
  readonly sparse?: readonly (readonly [offset: number, length: number])[];
  readonly names?: readonly [user: string, group: string];
}

/** Collects entries and packs them. */
export class ListingWriter {
  readonly #lines: string[] = [];

  add({ entry, dataOffset, sparse }: ScannedEntry): void {
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
    const row: Row = [path, type, mode, uid, gid, size, mtimeNs.toString(), dataOffset];
    this.#lines.push(JSON.stringify(Object.keys(rare).length === 0 ? row : [...row, rare]));
  }

  /** The whole, compressed; complete or not readable at all. */
  bytes(): Buffer {
    return Buffer.concat([Buffer.from(HEADER), deflateSync(this.#lines.join('\n'), { level: 1 })]);
  }
}

/** Entries of a listing that {@link ListingWriter} packed; undefined for anything else (an older format, a torn file). */
export function readListing(bytes: Buffer): ScannedEntry[] | undefined {
  if (bytes.subarray(0, HEADER.length).toString() !== HEADER) return undefined;
  try {
    const text = inflateSync(bytes.subarray(HEADER.length), { maxOutputLength: maxBytes }).toString();
    return text === '' ? [] : text.split('\n').map(scannedEntry);
  } catch {
    return undefined;
  }
}

function scannedEntry(line: string): ScannedEntry {
  // The cast: the file is ours, deflate's checksum was right, and its version is this one.
  const [path, type, mode, uid, gid, size, mtime, dataOffset, rare] = JSON.parse(line) as Row;
  const { link, device, xattrs, sparse, names } = rare ?? {};
  return {
    entry: {
      path,
      type,
      mode,
      uid,
      gid,
      size,
      mtimeNs: BigInt(mtime),
      ...(link === undefined ? {} : { linkName: link }),
      ...(device === undefined ? {} : { devMajor: device[0], devMinor: device[1] }),
      ...(xattrs === undefined
        ? {}
        : { xattrs: new Map(xattrs.map(([name, value]) => [name, Buffer.from(value, 'base64')])) }),
      ...(names === undefined ? {} : { uname: names[0], gname: names[1] }),
    },
    dataOffset,
    ...(sparse === undefined ? {} : { sparse: sparse.map(([offset, length]) => ({ offset, length })) }),
  };
}
