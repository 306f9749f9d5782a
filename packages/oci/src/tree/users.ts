import { type GroupEntry, groupEntries, type PasswdEntry, parseId, passwdEntries } from './user-files.ts';

/** Who a process runs as. */
export interface ExecUser {
  readonly found: true;
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** Home directory by /etc/passwd, else `'/'`: what a runtime sets HOME to. */
  readonly home: string;
  /** Login name, when /etc/passwd has the user. */
  readonly name?: string;
}

/** Who a file belongs to. */
export interface FileOwner {
  readonly found: true;
  readonly uid: number;
  readonly gid: number;
}

/** A name that the image does not know, or a number that is no id. */
export interface UnknownUser {
  readonly found: false;
  readonly missing: 'user' | 'group';
  /** The part of the text that was not understood. */
  readonly name: string;
}

/** runc's user package takes ids up to 2^31 - 1 when they come without an entry in the files. */
const MAX_UNLISTED_ID = 0x7fff_ffff;

/**
 * Looks up `USER name|uid[:group|gid]` by the rules of Docker and BuildKit:
 *
 * - two ids (`root` counts as 0) need no files, and `''` is root;
 * - a number is always an id, never a name; one that /etc/passwd does not have gets group 0 and home `/`;
 * - the first line that matches wins;
 * - without `:group`, the groups that list the user's *name* are added (also when it was given as a number).
 *
 * @throws BoxwrightError `USER_FILE_TOO_LARGE`
 */
export function lookupUser(passwd: string, group: string, text: string): ExecUser | UnknownUser {
  const { user, group: groupText } = splitUser(text);
  const listed = findUser(passwd, user);
  const name = listed === undefined ? undefined : { name: listed.name };
  const home = listed?.home ?? '/';
  const ids = groupText === undefined ? undefined : bothIds(user, groupText);
  if (ids !== undefined) return { found: true, ...ids, additionalGids: [], home, ...name };

  const uid = listed?.uid ?? unlistedUid(user);
  if (uid === undefined) return { found: false, missing: 'user', name: user };
  if (groupText === undefined || groupText === '') {
    const additionalGids = listed === undefined ? [] : gidsOfMember(group, listed.name);
    return { found: true, uid, gid: listed?.gid ?? 0, additionalGids, home, ...name };
  }
  const gid = findGroup(group, groupText)?.gid ?? unlistedId(groupText);
  if (gid === undefined) return { found: false, missing: 'group', name: groupText };
  return { found: true, uid, gid, additionalGids: [], home, ...name };
}

/**
 * Looks up `--chown=name|uid[:group|gid]` by BuildKit's rules: an id without a group has the same number as group, a
 * name has its group of /etc/passwd. BuildKit takes an unknown name for 0; here the caller learns of it.
 *
 * @throws BoxwrightError `USER_FILE_TOO_LARGE`
 */
export function lookupOwner(passwd: string, group: string, text: string): FileOwner | UnknownUser {
  const { user, group: groupText } = splitUser(text);
  const uid = idOrRoot(user);
  const listed =
    uid === undefined && user !== '' ? first(passwdEntries(passwd), (line) => line.name === user) : undefined;
  if (uid === undefined && user !== '' && listed === undefined) return { found: false, missing: 'user', name: user };
  const owner = listed ?? { uid: uid ?? 0, gid: uid ?? 0 };
  if (groupText === undefined || groupText === '') return { found: true, uid: owner.uid, gid: owner.gid };
  const gid = idOrRoot(groupText) ?? first(groupEntries(group), (line) => line.name === groupText)?.gid;
  if (gid === undefined) return { found: false, missing: 'group', name: groupText };
  return { found: true, uid: owner.uid, gid };
}

/** At the first colon only: neither names nor ids hold one. */
function splitUser(text: string): { user: string; group: string | undefined } {
  const colon = text.indexOf(':');
  return colon < 0 ? { user: text, group: undefined } : { user: text.slice(0, colon), group: text.slice(colon + 1) };
}

/** BuildKit's short way: both parts are ids. */
function bothIds(user: string, group: string): { uid: number; gid: number } | undefined {
  const uid = idOrRoot(user);
  const gid = idOrRoot(group);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function idOrRoot(text: string): number | undefined {
  return text === 'root' ? 0 : parseId(text);
}

function findUser(passwd: string, user: string): PasswdEntry | undefined {
  const uid = user === '' ? 0 : numberOf(user);
  if (uid !== undefined) return first(passwdEntries(passwd), (line) => line.uid === uid);
  return first(passwdEntries(passwd), (line) => line.name === user);
}

function unlistedUid(user: string): number | undefined {
  return user === '' ? 0 : unlistedId(user);
}

function unlistedId(text: string): number | undefined {
  const id = numberOf(text);
  return id !== undefined && id >= 0 && id <= MAX_UNLISTED_ID ? id : undefined;
}

/** A number as Go's Atoi reads it, sign allowed: such a text is never taken for a name. */
function numberOf(text: string): number | undefined {
  return /^[+-]?[0-9]+$/.test(text) ? Number(text) : undefined;
}

function findGroup(group: string, text: string): GroupEntry | undefined {
  const gid = numberOf(text);
  if (gid !== undefined) return first(groupEntries(group), (line) => line.gid === gid);
  return first(groupEntries(group), (line) => line.name === text);
}

function gidsOfMember(group: string, name: string): number[] {
  const gids = new Set<number>();
  for (const line of groupEntries(group)) {
    if (line.members.includes(name)) gids.add(line.gid);
  }
  return [...gids];
}

function first<T>(entries: Iterable<T>, matches: (entry: T) => boolean): T | undefined {
  for (const entry of entries) {
    if (matches(entry)) return entry;
  }
  return undefined;
}
