import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds, two seconds at most. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 40 && !condition(); attempt++) await sleep(50);
}

/** Process ids of this machine. */
export function allProcesses(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** Processes whose command line has an argument, other than Node. */
export function processesWith(marker: string): string[] {
  return allProcesses().filter((pid) => {
    const command = readOrEmpty(`/proc/${pid}/cmdline`).split('\0');
    return command[0] !== process.execPath && command.includes(marker);
  });
}

/** The mount namespaces of all threads of some processes. */
export function mountNamespaces(pids: readonly string[]): Set<string> {
  return new Set(
    pids.flatMap((pid) => threadsOf(pid).map((thread) => readLinkOrEmpty(`/proc/${pid}/task/${thread}/ns/mnt`))),
  ).difference(new Set(['']));
}

/** What the sandbox thread still has mounted of runs. */
export function mountsOfThisProcess(): string[] {
  const lines = threadsOf('self').flatMap((thread) => readOrEmpty(`/proc/self/task/${thread}/mountinfo`).split('\n'));
  return lines.filter((line) => line.includes('/proc/fs/_'));
}

function threadsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readLinkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Control groups with a name in them. */
export function cgroupsWith(name: string): string[] {
  if (!existsSync('/sys/fs/cgroup')) return [];
  const found = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-type', 'd', '-name', `*${name}*`], {
    encoding: 'utf8',
  });
  return found.split('\n').filter((line) => line !== '');
}

/** What OCI runtimes remember of containers of ours. */
export function runtimeStates(): string[] {
  return ['/run/runc', '/run/crun'].flatMap((directory) =>
    existsSync(directory) ? readdirSync(directory).filter((name) => name.includes('boxwright')) : [],
  );
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Every path below a directory, sorted. */
export function listTree(directory: string, prefix = ''): string[] {
  return readdirSync(directory)
    .toSorted()
    .flatMap((name) => {
      const path = join(directory, name);
      const below = lstatSync(path).isDirectory();
      return [prefix + name, ...(below ? listTree(path, `${prefix}${name}/`) : [])];
    });
}
