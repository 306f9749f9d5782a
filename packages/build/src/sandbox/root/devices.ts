import { closeSync, existsSync, mkdirSync, openSync, readlinkSync, symlinkSync } from 'node:fs';
import { MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, mount, SystemCallError } from '@boxwright/sys';
import { deviceNames } from '../docker-defaults.ts';

const links: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
];

/**
 * Mounts a fresh /dev at `target`: nodes, terminals, shared memory; /dev/mqueue is an empty directory, for the command's
 * process to mount in its IPC namespace. The file system is `nodev` and the few nodes are bound from the host one by one, so
 * that what a command with CAP_MKNOD adds cannot be opened.
 *
 * @param tty make the terminal on this process's stdin /dev/console, where ttyname(3) finds it and runtimes put theirs
 */
export function mountDevices(target: string, tty: boolean): void {
  mount('tmpfs', target, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=755,size=65536k');
  for (const name of deviceNames) mountNode(`/dev/${name}`, `${target}/${name}`);
  if (tty) mountNode(terminal(), `${target}/console`);
  for (const [name, destination] of links) symlinkSync(destination, `${target}/${name}`);
  for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(`${target}/${name}`, 0o755);
  mountTerminals(`${target}/pts`);
  mount('shm', `${target}/shm`, 'tmpfs', MS_NOSUID | MS_NODEV | MS_NOEXEC, 'mode=1777,size=65536k');
}

/** By its name in our mount namespace: the descriptor is of the mount that it was opened on, outside. */
function terminal(): string {
  const path = readlinkSync('/proc/self/fd/0');
  return path.startsWith('/dev/') && existsSync(path) ? path : '/dev/null';
}

function mountNode(source: string, target: string): void {
  closeSync(openSync(target, 'wx', 0o666));
  mount(source, target, null, MS_BIND);
}

/** The group tty (5, as everywhere) may be missing from a user namespace. */
function mountTerminals(target: string): void {
  const options = 'newinstance,ptmxmode=0666,mode=0620';
  try {
    mount('devpts', target, 'devpts', MS_NOSUID | MS_NOEXEC, `${options},gid=5`);
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.code !== 'EINVAL') throw error;
    mount('devpts', target, 'devpts', MS_NOSUID | MS_NOEXEC, options);
  }
}
