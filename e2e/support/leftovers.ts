import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryOf } from './boxwright.ts';

/** Whatever a command that uses this store could leave behind on the machine, as readable lines. */
export class Leftovers {
  readonly #home: string;
  readonly #before: ReadonlySet<string>;

  /** Made before the command runs: what is there already is none of its own. */
  constructor(home: string) {
    this.#home = home;
    this.#before = new Set([...mounts(), ...controlGroups()]);
  }

  /** What is there now and was not before. Other tests run beside this one: what they make goes again by itself. */
  async find(): Promise<string[]> {
    await eventually(() => this.#look().length === 0, 5_000);
    return this.#look();
  }

  #look(): string[] {
    const temporary = temporaryOf(this.#home);
    return [
      ...[...mounts(), ...controlGroups()].filter((line) => !this.#before.has(line)),
      ...(existsSync(temporary) ? readdirSync(temporary).map((name) => `temporary file ${name}`) : []),
      ...readdirSync(join(this.#home, 'tmp')).map((name) => `unfinished work ${name}`),
      ...processesMentioning(this.#home).map((line) => `process ${line}`),
    ];
  }
}

function mounts(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.map((line) => `mount ${line.split(' ')[4]}`);
}

/** Those that an OCI runtime would make for our commands, which it knows by this name; other programs come and go. */
function controlGroups(): string[] {
  return directoriesBelow('/sys/fs/cgroup', 4)
    .filter((path) => path.includes('boxwright'))
    .map((path) => `control group ${path}`);
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
