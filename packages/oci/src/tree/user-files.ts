import { BoxwrightError } from '@boxwright/errors';
import { type ByteString, toByteString } from '../bytes.ts';
import { displayPath } from '../layer/layer-path.ts';
import type { ImageTree } from './image-tree.ts';

/** More than any honest /etc/passwd has (CVE-2024-9676: huge ones stall an engine). */
export const MAX_USER_FILE_BYTES: number = 1024 * 1024;

/** One line of /etc/passwd: passwd(5). */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** `'/'` when the line has none. */
  readonly home: string;
}

/** One line of /etc/group: group(5). */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The texts that names are looked up in; `''` where the image has no such file. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/**
 * /etc/passwd and /etc/group of an image. Links are followed inside the image; what is no regular file counts as
 * missing, as for engines.
 *
 * @throws BoxwrightError `USER_FILE_TOO_LARGE`
 */
export function readUserFiles(tree: ImageTree): UserFiles {
  return { passwd: readUserFile(tree, 'etc/passwd'), group: readUserFile(tree, 'etc/group') };
}

function readUserFile(tree: ImageTree, name: string): string {
  const path: ByteString = toByteString(name);
  const { node } = tree.resolve(path);
  if (node === undefined || node.entry.type !== 'file') return '';
  if (node.entry.size > MAX_USER_FILE_BYTES) throw tooLarge(`${displayPath(path)} in the image`, node.entry.size);
  return tree.readFile(node, MAX_USER_FILE_BYTES).toString('utf8');
}

/** The lines of a passwd file that can be understood, in order; throws `USER_FILE_TOO_LARGE`. */
export function* passwdEntries(text: string): Generator<PasswdEntry, void, undefined> {
  for (const line of linesOf(text, '/etc/passwd')) {
    const [name, , uidText, gidText, , home] = line.split(':');
    const uid = parseId(uidText);
    const gid = parseId(gidText);
    // Go's parser takes a number that it cannot read for 0, that is for root; such a line is skipped here.
    if (name === undefined || name === '' || uid === undefined || gid === undefined) continue;
    yield { name, uid, gid, home: home === undefined || home === '' ? '/' : home };
  }
}

/** The lines of a group file that can be understood, in order; throws `USER_FILE_TOO_LARGE`. */
export function* groupEntries(text: string): Generator<GroupEntry, void, undefined> {
  for (const line of linesOf(text, '/etc/group')) {
    const [name, , gidText, members] = line.split(':');
    const gid = parseId(gidText);
    if (name === undefined || name === '' || gid === undefined) continue;
    yield { name, gid, members: members === undefined || members === '' ? [] : members.split(',') };
  }
}

/** A user or group id as written in these files: decimal, 32 bits; else undefined. */
export function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= 0xffff_ffff ? id : undefined;
}

function* linesOf(text: string, name: string): Generator<string, void, undefined> {
  if (text.length > MAX_USER_FILE_BYTES) throw tooLarge(name, text.length);
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trim();
    if (line !== '' && !line.startsWith('#')) yield line;
    start = end + 1;
  }
}

function tooLarge(what: string, size: number): BoxwrightError {
  const message = `${what} has ${size} bytes, more than the ${MAX_USER_FILE_BYTES} that are read`;
  return new BoxwrightError('USER_FILE_TOO_LARGE', message, { hint: 'Use numeric ids: USER 1000:1000.' });
}
