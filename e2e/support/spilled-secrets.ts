import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** All forms in which a login would give itself away. */
export function formsOf(name: string, password: string): readonly string[] {
  const base64 = (text: string): string => Buffer.from(text).toString('base64').replace(/=+$/, '');
  return [password, encodeURIComponent(password), base64(password), base64(`${name}:${password}`)];
}

/** Files below a directory, names included, that hold one of the texts; none where there is no directory. */
export function filesHolding(directory: string, texts: readonly string[]): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => {
    const content = statSync(join(directory, path), { throwIfNoEntry: false })?.isFile()
      ? readFileSync(join(directory, path), 'latin1')
      : '';
    return texts.some((text) => path.includes(text) || content.includes(text));
  });
}

/** Watches the command lines of a process and all that it starts, as everybody on a machine can read them. */
export class CommandLines {
  readonly #texts: readonly string[];
  readonly #found = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #looks = 0;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  /** For `RunOptions`. */
  readonly watch = ({ pid }: ChildProcess): void => {
    this.#timer = setInterval(() => {
      for (const line of commandLines(pid)) {
        this.#looks++;
        if (this.#texts.some((text) => line.includes(text))) this.#found.add(line);
      }
    }, 25);
  };

  /** Ends watching. Lines that held one of the texts; throws where nothing was seen at all. */
  end(): readonly string[] {
    clearInterval(this.#timer);
    if (this.#looks === 0) throw new Error('no command line was seen');
    return [...this.#found];
  }
}

/** Command lines of a process and of its descendants. */
function commandLines(root: number | undefined): string[] {
  const parents = new Map<string, string | undefined>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    // The command's name is in parentheses, and may hold some itself.
    parents.set(pid, /^.*\) \S (\d+)/s.exec(contentOf(`/proc/${pid}/stat`))?.[1]);
  }
  const descends = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(root) || descends(parents.get(pid)));
  return [...parents.keys()].filter(descends).map((pid) => contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' '));
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // It has ended.
  }
}
