import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { bootId } from './boot.ts';

/**
 * Which process a temporary directory, lease or mark belongs to. A process id alone is reused, and means nothing in
 * another pid namespace (two containers that share a store) or another boot.
 */
export interface Owner {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of proc(5) `/proc/PID/stat`; '0' where there is no /proc. */
  readonly startTime: string;
  /** Short hash of boot id and pid namespace. */
  readonly realm: string;
}

/** Owners that cannot be asked (other boot, other pid namespace) count as gone when silent for so long: a day. */
const silenceMs = 24 * 60 * 60 * 1000;

let current: Owner | undefined;

/** This process. Worker threads share it. */
export function currentOwner(): Owner {
  current ??= { pid: process.pid, startTime: startTimeOf(process.pid) ?? '0', realm: realm() };
  return current;
}

/** A new name for something of this process: `<pid>-<start time>-<realm>-<random>`. */
export function ownedName(): string {
  const { pid, startTime, realm: where } = currentOwner();
  return `${pid}-${startTime}-${where}-${randomBytes(6).toString('hex')}`;
}

/** The owner in a name made by {@link ownedName} (a suffix after a dot is ignored), or undefined for a foreign name. */
export function parseOwnedName(name: string): Owner | undefined {
  const match = /^([0-9]{1,10})-([0-9]{1,20})-([0-9a-f]{12})-[0-9a-f]{12}(?:\.[a-z0-9.]+)?$/.exec(name);
  const [, pid, startTime, where] = match ?? [];
  if (pid === undefined || startTime === undefined || where === undefined) return undefined;
  return { pid: Number(pid), startTime, realm: where };
}

/**
 * True while the owner may still be running. Exact for processes that this one can see; others are given a day since
 * the path was last written (`path`: what carries the owner's name).
 */
export function mayBeAlive(owner: Owner, path: string): boolean {
  const { realm: here } = currentOwner();
  if (owner.realm === here) {
    if (process.platform === 'linux') return startTimeOf(owner.pid) === owner.startTime;
    return pidAnswers(owner.pid);
  }
  try {
    return Date.now() - statSync(path).mtimeMs < silenceMs;
  } catch {
    return false;
  }
}

function startTimeOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name (field 2) is in brackets and may hold blanks and brackets itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more: its files are closed, its threads are gone.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function realm(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // No /proc: the platform has no pid namespaces either.
  }
  return createHash('sha256')
    .update(`${bootId() ?? ''}\n${namespace}`)
    .digest('hex')
    .slice(0, 12);
}

function pidAnswers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
