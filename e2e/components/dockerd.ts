import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chroot } from './chroot.ts';

/** A dockerd of ours. */
export interface Dockerd {
  readonly socket: string;
  /** A process in its mount namespace, for nsenter. */
  readonly namespacePid: number;
  /** The end of what it has printed. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** How a dockerd of ours is started. */
export interface DockerdOptions {
  /** It sees this directory under the same path, and nothing else of this machine's files. */
  readonly workDirectory: string;
  /** Its data, below that; default `dockerd` in it. Removed when it stops. */
  readonly state?: string;
  /** Further arguments. */
  readonly args?: readonly string[];
}

/**
 * Starts dockerd in the chroot, in mount and PID namespaces of its own: they end with it, also when this process is
 * killed, and take its containerd, its mounts and its containers along. Throws with its log when it does not answer.
 */
export async function startDockerd(chroot: Chroot, options: DockerdOptions): Promise<Dockerd> {
  const { workDirectory, state = join(workDirectory, 'dockerd'), args = [] } = options;
  mkdirSync(state, { recursive: true });
  const logPath = join(state, 'log');
  const log = openSync(logPath, 'w');
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig=KILL',
      'unshare',
      ...['--mount', '--pid', '--fork', '--kill-child=KILL', '--propagation=private'],
      join(import.meta.dirname, 'dockerd-in-chroot.sh'),
      chroot.root,
      workDirectory,
      state,
      ...args,
    ],
    { stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const ended = new Promise<void>((fulfil) => {
    child.once('exit', () => fulfil());
    child.once('error', () => fulfil());
  });
  const stop = async (): Promise<void> => {
    const pid = child.pid === undefined ? undefined : firstChild(child.pid);
    if (pid !== undefined) process.kill(pid, 'SIGTERM');
    const stopped = await Promise.race([ended.then(() => true), sleep(20_000, false, { ref: false })]);
    if (!stopped) child.kill('SIGKILL');
    await ended;
    rmSync(state, { recursive: true, force: true });
  };
  const logText = (): string => (existsSync(logPath) ? readFileSync(logPath, 'utf8').slice(-4000) : '');
  const socket = join(state, 'docker.sock');
  for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
    const pid = child.pid === undefined ? undefined : firstChild(child.pid);
    if (pid !== undefined && existsSync(socket)) return { socket, namespacePid: pid, log: logText, stop };
    await sleep(100);
  }
  const text = logText();
  await stop();
  throw new Error(`dockerd did not start:\n${text}`);
}

/** The process that `unshare --fork` started. */
function firstChild(pid: number): number | undefined {
  try {
    const first = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0];
    return first === undefined || first === '' ? undefined : Number(first);
  } catch {
    return undefined;
  }
}
