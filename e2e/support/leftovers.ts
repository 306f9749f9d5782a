import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a command could leave behind on the machine. */
export interface MachineState {
  readonly mounts: readonly string[];
  readonly temporary: readonly string[];
  readonly cgroups: readonly string[];
}

/** Looks at the machine now; what belongs to other programs stays the same in the two looks of one test. */
export function machineState(): MachineState {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((path) => path !== '')
      .toSorted(),
    temporary: readdirSync(tmpdir()).filter(isOurs).toSorted(),
    cgroups: directoriesBelow('/sys/fs/cgroup', 4)
      .filter((path) => /boxwright/i.test(path))
      .toSorted(),
  };
}

/** Names that the command could have made; the test runner's own are `boxwright-e2e-…` and `boxwright-tests-…`. */
function isOurs(name: string): boolean {
  return /boxwright/i.test(name) && !/^boxwright-(e2e|tests)-/.test(name);
}

function directoriesBelow(path: string, depth: number): string[] {
  if (depth === 0) return [];
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => [`${path}/${entry.name}`, ...directoriesBelow(`${path}/${entry.name}`, depth - 1)]);
  } catch {
    return [];
  }
}

/** Processes whose command line or environment mentions the text, as `PID command`; ours are left out. */
export function processesMentioning(text: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ');
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
      if (command.includes(text) || environment.includes(text)) found.push(`${name} ${command}`);
    } catch {
      // It has ended, or is not ours to look at.
    }
  }
  return found;
}

/** Waits until a condition holds; false when it does not within the time. */
export async function eventually(condition: () => boolean, timeoutMs = 10_000): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (Date.now() < end) {
    if (condition()) return true;
    await sleep(50);
  }
  return condition();
}
