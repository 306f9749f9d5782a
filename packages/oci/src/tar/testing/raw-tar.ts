/** What a header made by hand holds. */
export interface RawFields {
  readonly name: string;
  readonly type?: string;
  readonly size?: number;
  readonly linkName?: string;
  /** Default: POSIX ustar; `GNU`: 'ustar  '; `none`: V7. */
  readonly magic?: 'ustar' | 'gnu' | 'none';
  /** Bytes (one per code unit) at offsets of the block, written last, before the checksum. */
  readonly fields?: Readonly<Record<number, string>>;
}

/** One header block with a right checksum, whatever else is wrong with it. */
export function rawHeader(options: RawFields): Buffer {
  const block = Buffer.alloc(512);
  block.write(options.name, 0, 100, 'latin1');
  block.write('0000644\0', 100, 'latin1');
  block.write('0000000\0', 108, 'latin1');
  block.write('0000000\0', 116, 'latin1');
  block.write(`${(options.size ?? 0).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.write('00000000000\0', 136, 'latin1');
  block.write(options.type ?? '0', 156, 1, 'latin1');
  block.write(options.linkName ?? '', 157, 100, 'latin1');
  if (options.magic !== 'none') block.write(options.magic === 'gnu' ? 'ustar  \0' : 'ustar\u000000', 257, 'latin1');
  for (const [at, bytes] of Object.entries(options.fields ?? {})) block.write(bytes, Number(at), 'latin1');
  return withChecksum(block, false);
}

/** Sets the checksum, of unsigned or of signed bytes. */
export function withChecksum(block: Buffer, signed: boolean): Buffer {
  block.write('        ', 148, 'latin1');
  let sum = 0;
  for (let at = 0; at < 512; at++) sum += signed ? block.readInt8(at) : block.readUInt8(at);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Header, content and padding. */
export function rawEntry(options: RawFields, content: Buffer): Buffer {
  return Buffer.concat([rawHeader(options), padded(content)]);
}

/** A PAX header of these records, which may be wrong; values are bytes. */
export function paxHeader(type: 'x' | 'g', records: readonly (readonly [string, string])[]): Buffer {
  const content = Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(''), 'latin1');
  return rawEntry({ name: 'pax', type, size: content.length }, content);
}

/** Zeros up to the next block. */
export function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** The two zero blocks. */
export function endMark(): Buffer {
  return Buffer.alloc(1024);
}

function paxRecord(key: string, value: string): string {
  let length = key.length + value.length + 3;
  while (`${length} ${key}=${value}\n`.length !== length) length++;
  return `${length} ${key}=${value}\n`;
}
