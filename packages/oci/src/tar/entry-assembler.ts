import type { ByteString } from '../bytes.ts';
import type { TarEntry, TarEntryType } from './entry.ts';
import { parseBytes } from './fields.ts';
import { defaultTarLimits, type TarLimits, type TarReadOptions } from './limits.ts';
import { type PaxRecords, parsePaxRecords } from './pax-records.ts';
import { parseDeviceNumbers, parseRawHeader, type RawHeader } from './raw-header.ts';
import {
  ContentMap,
  OldGnuMap,
  type SparseRecords,
  type SparseSegment,
  segmentsOf,
  sparseVersion,
} from './sparse-map.ts';
import { tarInvalid, tarLimit } from './tar-error.ts';

/**
 * What has to be fed next: `entry` = an entry is complete, its content (`storedSize` bytes) follows; `metadata` =
 * `metadataSize` bytes and padding for {@link EntryAssembler.metadata}; `sparse` = one block for
 * {@link EntryAssembler.sparseBlock}.
 */
export type AssemblyStep = 'entry' | 'metadata' | 'sparse';

/** More headers in a row than any program writes before one entry (x, g, L and K, each perhaps twice). */
const MAX_METADATA_IN_A_ROW = 64;
/** Beyond this no kernel knows a user id. */
const MAX_ID = 0xffff_ffff;

const NOTHING: PaxRecords = {};

/**
 * Turns header blocks into entries: gathers PAX records, GNU long names and sparse maps and applies them to the next
 * real entry only, then forgets them. Knows nothing of where bytes come from: the push reader and the scanner both
 * drive this one class, so that no two of our readers can disagree about an archive.
 */
export class EntryAssembler {
  readonly #limits: TarLimits;
  readonly #applyGlobal: boolean;
  #global: PaxRecords = NOTHING;
  #pax: PaxRecords | undefined;
  #longName = '';
  #longLink = '';
  #entries = 0;
  #metadataInARow = 0;
  #metadataType = '';
  #sparseBytes = 0;
  #oldMap: OldGnuMap | undefined;
  #contentMap: ContentMap | undefined;
  #build: ((realSize: number) => TarEntry) | undefined;
  #realSize = 0;
  #entry: TarEntry | undefined;

  /** Bytes of the metadata that the last header announced. */
  metadataSize = 0;
  /** Bytes that the archive stores for the entry, padding not counted. */
  storedSize = 0;
  /** The runs of a sparse entry. */
  segments: readonly SparseSegment[] | undefined;

  constructor(options: TarReadOptions) {
    this.#limits = { ...defaultTarLimits, ...options.limits };
    this.#applyGlobal = options.globalPax === 'apply';
  }

  /** The entry of the last `entry` step. */
  get entry(): TarEntry {
    if (this.#entry === undefined) throw new Error('no tar entry is complete');
    return this.#entry;
  }

  /** True when headers were read that wait for an entry: the archive must not end here. */
  get isPending(): boolean {
    return this.#metadataInARow > 0;
  }

  /** Takes the header block at `start`, which is at `offset` of the archive. */
  header(block: Buffer, start: number, offset: number): AssemblyStep {
    const raw = parseRawHeader(block, start, offset);
    const type = raw.typeflag;
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') return this.#announceMetadata(raw, offset);

    this.#metadataInARow = 0;
    if (++this.#entries > this.#limits.maxEntries) throw tarLimit('too many entries', offset, 'maxEntries');
    const pax = this.#takeRecords();
    const entryType = typeOf(raw.typeflag, this.#longName || (pax.path ?? raw.name), offset);
    const map = pax.sparse === undefined || type === 'S' ? 'none' : sparseVersion(pax.sparse, offset);
    const sparseName = map === 'none' ? undefined : pax.sparse?.name;
    const name = sparseName || this.#longName || (pax.path ?? raw.name);
    const linkName = this.#longLink || (pax.linkPath ?? raw.linkName);
    this.#longName = '';
    this.#longLink = '';
    const device = entryType === 'char' || entryType === 'block' ? parseDeviceNumbers(block, start, offset) : undefined;
    // As Go's archive/tar: only files have content, whatever the size field of the others says.
    this.storedSize = entryType === 'file' ? (pax.size ?? raw.size) : 0;
    this.segments = undefined;
    const build = (size: number) => this.#assemble(raw, pax, entryType, name, linkName, size, device, offset);

    if (type === 'S') return this.#beginOldSparse(block, start, offset, build);
    if (pax.sparse !== undefined && map !== 'none') {
      return this.#beginPaxSparse(pax.sparse, map, entryType, offset, build);
    }
    this.#entry = build(this.storedSize);
    return 'entry';
  }

  /** Takes the content of a PAX header or long name; `offset` is where it began. */
  metadata(bytes: Buffer, offset: number): void {
    if (this.#metadataType === 'x') {
      this.#pax = parsePaxRecords(bytes, offset);
    } else if (this.#metadataType === 'g') {
      // Checked even when it is ignored: a damaged archive should not pass for a sound one.
      const records = parsePaxRecords(bytes, offset);
      if (this.#applyGlobal) this.#global = { ...this.#global, ...globalRecords(records) };
    } else {
      const name = parseBytes(bytes, 0, bytes.length);
      if (this.#metadataType === 'L') this.#longName = name;
      else this.#longLink = name;
    }
  }

  /** Takes one more block of a sparse map. */
  sparseBlock(block: Buffer, start: number, offset: number): AssemblyStep {
    if (this.#oldMap !== undefined) {
      if (this.#oldMap.extend(block, start, offset)) return 'sparse';
      return this.#finishSparse(this.#oldMap.map, offset);
    }
    if (this.#contentMap === undefined) throw new Error('no sparse map was announced');
    const map = this.#contentMap;
    const more = map.add(block, start, offset);
    if (map.storedBytes > this.storedSize || (more && map.storedBytes === this.storedSize)) {
      throw tarInvalid('the sparse map is longer than the content', offset);
    }
    if (more) return 'sparse';
    this.storedSize -= map.storedBytes;
    return this.#finishSparse(map.map, offset);
  }

  #announceMetadata(raw: RawHeader, offset: number): AssemblyStep {
    if (++this.#metadataInARow > MAX_METADATA_IN_A_ROW) throw tarInvalid('too many extended headers in a row', offset);
    if (raw.size > this.#limits.maxMetadataBytes) {
      throw tarLimit(`an extended header of ${raw.size} bytes`, offset, 'maxMetadataBytes');
    }
    this.#metadataType = raw.typeflag;
    this.metadataSize = raw.size;
    return 'metadata';
  }

  #takeRecords(): PaxRecords {
    const own = this.#pax ?? NOTHING;
    this.#pax = undefined;
    return this.#global === NOTHING ? own : { ...this.#global, ...own };
  }

  #beginOldSparse(block: Buffer, start: number, offset: number, build: (size: number) => TarEntry): AssemblyStep {
    this.#oldMap = new OldGnuMap(block, start, offset, this.#limits.maxMetadataBytes);
    this.#contentMap = undefined;
    this.#realSize = this.#oldMap.realSize;
    this.#build = build;
    return OldGnuMap.isExtended(block, start) ? 'sparse' : this.#finishSparse(this.#oldMap.map, offset);
  }

  #beginPaxSparse(
    records: SparseRecords,
    map: 'records' | 'content',
    type: TarEntryType,
    offset: number,
    build: (size: number) => TarEntry,
  ): AssemblyStep {
    if (type !== 'file') throw tarInvalid('a sparse entry is not a file', offset);
    if (records.realSize === undefined) throw tarInvalid('a sparse file has no real size', offset);
    this.#realSize = records.realSize;
    this.#build = build;
    this.#oldMap = undefined;
    if (map === 'records') return this.#finishSparse(records.map, offset);
    if (this.storedSize === 0) throw tarInvalid('a sparse file has no map', offset);
    this.#contentMap = new ContentMap(this.#limits.maxMetadataBytes);
    return 'sparse';
  }

  #finishSparse(map: readonly number[], offset: number): AssemblyStep {
    this.segments = segmentsOf(map, this.#realSize, this.storedSize, offset);
    this.#sparseBytes += this.#realSize;
    if (this.#sparseBytes > this.#limits.maxSparseBytes) {
      throw tarLimit('the sparse files are too big', offset, 'maxSparseBytes');
    }
    this.#entry = this.#build?.(this.#realSize);
    this.#build = undefined;
    return 'entry';
  }

  #assemble(
    raw: RawHeader,
    pax: PaxRecords,
    type: TarEntryType,
    name: string,
    rawLink: string,
    size: number,
    device: { major: number; minor: number } | undefined,
    offset: number,
  ): TarEntry {
    const path = trimPath(name);
    const uname = pax.uname ?? raw.uname;
    const gname = pax.gname ?? raw.gname;
    if (path === '' && type !== 'directory') throw tarInvalid(`a ${type} has no name`, offset);
    this.#checkLength(name, offset);
    return {
      path,
      type,
      mode: raw.mode & 0o7777,
      uid: checkId(pax.uid ?? raw.uid, 'uid', offset),
      gid: checkId(pax.gid ?? raw.gid, 'gid', offset),
      ...(uname === '' ? undefined : { uname: textOf(uname) }),
      ...(gname === '' ? undefined : { gname: textOf(gname) }),
      size,
      mtimeNs: pax.mtimeNs ?? BigInt(raw.mtime) * 1_000_000_000n,
      ...this.#linkOf(type, rawLink, offset),
      ...(device === undefined ? undefined : { devMajor: device.major, devMinor: device.minor }),
      ...(pax.xattrs === undefined ? undefined : { xattrs: pax.xattrs }),
    };
  }

  #linkOf(type: TarEntryType, rawLink: string, offset: number): { linkName: ByteString } | undefined {
    if (type !== 'symlink' && type !== 'hardlink') return undefined;
    this.#checkLength(rawLink, offset);
    if (rawLink === '') throw tarInvalid(`a ${type} has no target`, offset);
    // parseBytes and parsePaxRecords decode one byte per code unit: that is what the brand says.
    const linkName = type === 'hardlink' ? trimPath(rawLink) : (rawLink as ByteString);
    if (linkName === '') throw tarInvalid('a hard link has the root for a target', offset);
    return { linkName };
  }

  #checkLength(name: string, offset: number): void {
    if (name.length > this.#limits.maxPathBytes) throw tarLimit('a name is too long', offset, 'maxPathBytes');
  }
}

/** The keywords that make sense for a whole archive; a global path or size would be nonsense and a trap. */
function globalRecords(records: PaxRecords): PaxRecords {
  const { path: _path, linkPath: _link, size: _size, sparse: _sparse, xattrs: _xattrs, ...rest } = records;
  return rest;
}

/**
 * Kinds beyond those a layer may hold (volume labels, dump directories, multi-volume pieces) are refused, as Docker and
 * containerd refuse them.
 */
function typeOf(typeflag: string, name: string, offset: number): TarEntryType {
  switch (typeflag) {
    case '0':
    case '7':
    case 'S':
      return 'file';
    case '\0':
      // The oldest archives mark a directory by its trailing slash only.
      return name.endsWith('/') ? 'directory' : 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
      return 'char';
    case '4':
      return 'block';
    case '5':
      return 'directory';
    case '6':
      return 'fifo';
    default:
      throw tarInvalid(`entries of type ${JSON.stringify(typeflag)} are not supported`, offset, {
        hint: 'Container engines refuse them too; make the archive again with tar --format=pax.',
      });
  }
}

function checkId(id: number, field: string, offset: number): number {
  if (id < 0 || id > MAX_ID) throw tarInvalid(`the ${field} ${id} is out of range`, offset);
  return id;
}

function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** Takes off leading `/` and `./` and trailing `/`, as often as they come, and makes `.` the root. */
function trimPath(name: string): ByteString {
  let start = 0;
  let end = name.length;
  for (;;) {
    const code = name.charCodeAt(start);
    if (code === SLASH) start++;
    else if (code === DOT && name.charCodeAt(start + 1) === SLASH) start += 2;
    else break;
  }
  while (end > start && name.charCodeAt(end - 1) === SLASH) end--;
  const path = start === 0 && end === name.length ? name : name.slice(start, end);
  // Still one byte per code unit, as it came.
  return (path === '.' ? '' : path) as ByteString;
}
