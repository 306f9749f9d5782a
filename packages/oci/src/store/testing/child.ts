import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** For tests: a script of this directory in a process of its own, once it has printed its first line. */
export async function startChild(script: string, args: readonly string[]): Promise<ChildProcess> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', path, ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] ?? '' },
    },
  );
  const started = await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
  if (child.exitCode !== null)
    throw new Error(`${script} ended with ${child.exitCode} before it was ready: ${String(started[0])}`);
  return child;
}

/** The exit code of a child, or the name of the signal that killed it. */
export async function endOf(child: ChildProcess): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode ?? 'unknown';
}
