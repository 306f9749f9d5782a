import { toByteString } from '../bytes.ts';
import type { TarEntry } from './entry.ts';
import { isAscii } from './fields.ts';
import { MAX_OCTAL_8, MAX_OCTAL_12 } from './header-writer.ts';
import { tarWriteError } from './write-error.ts';

/** Bytes of records that every reader takes (Go's archive/tar and our own refuse more). */
const MAX_RECORD_BYTES = 1024 * 1024;

/**
 * The PAX records that an entry needs because its ustar header cannot say it, sorted by key as Go's archive/tar (and so
 * BuildKit) writes them; undefined when there are none. `name` is the entry's name with the slash of a directory.
 */
export function paxRecordsFor(entry: TarEntry, name: string, seconds: number): Buffer | undefined {
  const records = new Map<string, string | Uint8Array>();
  addText(records, 'path', name, 100);
  if (entry.linkName !== undefined) addText(records, 'linkpath', entry.linkName, 100);
  if (entry.uname !== undefined) addText(records, 'uname', toByteString(entry.uname), 32);
  if (entry.gname !== undefined) addText(records, 'gname', toByteString(entry.gname), 32);
  if (entry.uid > MAX_OCTAL_8) records.set('uid', String(entry.uid));
  if (entry.gid > MAX_OCTAL_8) records.set('gid', String(entry.gid));
  if (entry.type === 'file' && entry.size > MAX_OCTAL_12) records.set('size', String(entry.size));
  const isWhole = entry.mtimeNs === BigInt(seconds) * 1_000_000_000n;
  if (!isWhole || seconds < 0 || seconds > MAX_OCTAL_12) records.set('mtime', formatTime(entry.mtimeNs));
  if (entry.xattrs !== undefined) {
    for (const [key, value] of entry.xattrs) {
      if (key === '' || /[=\0]/.test(key))
        throw tarWriteError(entry.path, 'a PAX record cannot name its extended attribute');
      records.set(`SCHILY.xattr.${key}`, value);
    }
  }
  if (records.size === 0) return undefined;
  const bytes = Buffer.concat(
    [...records.keys()].sort(compareBytes).map((key) => formatRecord(key, records.get(key) ?? '')),
  );
  if (bytes.length > MAX_RECORD_BYTES)
    throw tarWriteError(entry.path, 'its names and extended attributes exceed 1 MiB');
  return bytes;
}

/** True when {@link paxRecordsFor} would find something; cheap, for the common entry that needs no records. */
export function needsPax(entry: TarEntry, name: string, seconds: number): boolean {
  return (
    name.length > 100 ||
    entry.uid > MAX_OCTAL_8 ||
    entry.gid > MAX_OCTAL_8 ||
    entry.size > MAX_OCTAL_12 ||
    seconds < 0 ||
    seconds > MAX_OCTAL_12 ||
    (entry.xattrs !== undefined && entry.xattrs.size > 0) ||
    !isAscii(name) ||
    (entry.linkName !== undefined && (entry.linkName.length > 100 || !isAscii(entry.linkName))) ||
    (entry.uname !== undefined && (entry.uname.length > 32 || !isAscii(entry.uname))) ||
    (entry.gname !== undefined && (entry.gname.length > 32 || !isAscii(entry.gname)))
  );
}

function addText(records: Map<string, string | Uint8Array>, key: string, bytes: string, limit: number): void {
  if (bytes.length > limit || !isAscii(bytes)) records.set(key, bytes);
}

/** `LENGTH KEY=VALUE\n`; LENGTH counts itself, so that one more digit may make it one longer. */
function formatRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = key.length + value.length + 3;
  let size = rest + String(rest).length;
  size = rest + String(size).length;
  const record = Buffer.alloc(size);
  const start = record.write(`${size} ${key}=`, 0, 'latin1');
  if (typeof value === 'string') record.write(value, start, 'latin1');
  else record.set(value, start);
  record[size - 1] = 0x0a;
  return record;
}

function formatTime(nanoseconds: bigint): string {
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = (magnitude % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const whole = magnitude / 1_000_000_000n;
  return `${nanoseconds < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : 1;
}
