import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Does something once, when what waits has printed the line `e2e-is-asleep`. */
export function whenAsleep(child: ChildProcess, act: () => void): void {
  let text = '';
  let isAwake = true;
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    // The instruction is shown when it starts; the word alone at the end of a line is its output.
    if (!isAwake || !/(?:^|\s)e2e-is-asleep\s*$/m.test(text)) return;
    isAwake = false;
    act();
  });
}

/** Kills the program itself, and the launcher that may stand before it, at once. */
export function killTree({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const command = (child: string): string => readFileSync(`/proc/${child}/cmdline`, 'latin1');
  const launched = children.filter((child) => child !== '' && /\bboxwright\b|main\.js/.test(command(child)));
  for (const one of [pid, ...launched.map(Number)]) process.kill(one, 'SIGKILL');
}
