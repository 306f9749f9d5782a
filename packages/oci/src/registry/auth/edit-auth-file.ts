import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../../documents/json.ts';
import { goJson } from '../../documents/json-writer.ts';
import { removeFile, unlessMissing, writeFully } from '../../store/files.ts';
import { invalidAuthFile, parseAuthDocument } from './auth-file.ts';
import { readAuthFile } from './read-auth-file.ts';

/** Another program may be writing at the same time: then the edit is made again on what it wrote. */
const MAX_ATTEMPTS = 10;

/**
 * Changes `auths` of a config.json or auth.json. Members that are not ours, their order and the indentation stay; the file
 * is replaced in one step and is readable by its owner only. A link is followed.
 *
 * @param edit changes the map and returns true, or returns false to leave the file alone
 * @returns whether the file was written
 * @throws BoxwrightError CREDENTIALS_INVALID; errors of the file system
 */
export function editAuths(path: string, edit: (auths: Map<string, JsonValue>) => boolean): boolean {
  const target = followLink(path);
  for (let attempt = 1; ; attempt++) {
    const before = versionOf(target);
    const bytes = readAuthFile(target);
    if (bytes === 'unreadable') throw invalidAuthFile(path, 'it belongs to somebody else');
    const text = bytes === 'missing' ? '' : bytes.toString('utf8');
    const document = new Map(parseAuthDocument(Buffer.from(text), path));
    const old = document.get('auths') ?? undefined;
    if (old !== undefined && !isJsonObject(old)) throw invalidAuthFile(path, 'auths is not an object');
    const auths = new Map(old);
    if (!edit(auths)) return false;
    document.set('auths', auths);
    const isWritten = replace(target, inStyleOf(text, document), () => versionOf(target) === before);
    if (isWritten) return true;
    if (attempt === MAX_ATTEMPTS) throw invalidAuthFile(path, 'another program keeps writing it');
  }
}

/** JSON with the indentation and the end of the text it takes the place of; a new file is written as Docker does it. */
function inStyleOf(text: string, document: JsonObject): string {
  const indent =
    text.trim() === '' ? '\t' : (/^\s*\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? (/\n/.test(text.trim()) ? '\t' : ''));
  return goJson(document, indent) + (text.endsWith('\n') ? '\n' : '');
}

/** Puts the text in place unless `isUnchanged` says that somebody was faster; false then. */
function replace(target: string, text: string, isUnchanged: () => boolean): boolean {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    try {
      keepOwner(fd, target);
      writeFully(fd, Buffer.from(text));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (!isUnchanged()) {
      removeFile(temporary);
      return false;
    }
    renameSync(temporary, target);
    return true;
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
}

/** Root that logs in with somebody's home directory (sudo) leaves the file theirs. */
function keepOwner(fd: number, target: string): void {
  if (process.getuid?.() !== 0) return;
  const owner = unlessMissing(() => statSync(target)) ?? statSync(dirname(target));
  fchownSync(fd, owner.uid, owner.gid);
}

/** The file that a link, also a dangling one, leads to. */
function followLink(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile()) return path;
  if (!stat.isSymbolicLink()) throw invalidAuthFile(path, 'it is not a regular file');
  const target = unlessMissing(() => realpathSync(path)) ?? resolve(dirname(path), readlinkSync(path));
  const found = statSync(target, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) throw invalidAuthFile(path, 'it is not a regular file');
  return target;
}

function versionOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}
