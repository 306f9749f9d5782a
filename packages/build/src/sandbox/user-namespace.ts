import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants, userInfo } from 'node:os';
import { BoxwrightError } from '@boxwright/errors';
import { prctl } from '@boxwright/sys';
import { findProgram } from './programs.ts';
import { type IdRange, parseSubordinateIds } from './subordinate-ids.ts';

/** Set in the re-executed process, so that it does not do the same again. */
const MARKER = 'BOXWRIGHT_IN_USER_NAMESPACE';

/** How many ids of the host a user namespace of ours gets, and from where. */
export interface UserNamespaceMap {
  /** `single`: only our own user, who is root inside; enough for commands that stay root. */
  readonly kind: 'ranges' | 'single';
  readonly uids: IdRange | undefined;
  readonly gids: IdRange | undefined;
  /** Why there are no ranges. */
  readonly reason: string | undefined;
}

/** True when this process may make namespaces and mounts: it is root, of the host or of some user namespace. */
export function isPrivileged(): boolean {
  const CAP_SYS_ADMIN = 21n;
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}

/**
 * Makes sure that the rest of the program runs with what a sandbox needs. With root's privileges it does nothing and answers undefined.
 * Else it runs this program once more with the same arguments as root of a new user namespace, passes stdin, stdout,
 * stderr and signals on, and answers the exit code: the caller ends with it at once.
 *
 * @param argv arguments for Node: the script and what follows; those of this process by default
 * @throws BoxwrightError `SANDBOX_UNAVAILABLE` when this machine does not let users make user namespaces
 */
export async function ensureUserNamespace(
  argv: readonly string[] = process.argv.slice(1),
): Promise<number | undefined> {
  const entered = process.env[MARKER] !== undefined;
  if (isPrivileged()) {
    if (entered) dieWithParent();
    return undefined;
  }
  if (entered) throw unavailable('the user namespace has no root', undefined);
  return runInUserNamespace(process.execPath, [...process.execArgv, ...argv]);
}

/** Runs a program as root of a new user namespace and answers its exit code. @throws BoxwrightError `SANDBOX_UNAVAILABLE` */
export async function runInUserNamespace(program: string, args: readonly string[]): Promise<number> {
  return passThrough(await startInUserNamespace(program, args, 'inherit'));
}

/** Starts a program as root of a new user namespace. @throws BoxwrightError `SANDBOX_UNAVAILABLE` */
export async function startInUserNamespace(
  program: string,
  args: readonly string[],
  stdout: 'inherit' | 'pipe',
): Promise<ChildProcess> {
  if (process.platform !== 'linux') throw unavailable(`this is ${process.platform}, not Linux`, 'Run it on Linux.');
  const unshare = findProgram('unshare');
  if (unshare === undefined) throw unavailable('there is no `unshare` program', 'Install util-linux.');
  const map = userNamespaceMap();
  const env = { ...process.env, [MARKER]: '1' };
  const stdio = ['inherit' as const, stdout, 'inherit' as const];
  if (map.kind === 'ranges') return startWithRanges(unshare, [program, ...args], map, { stdio, env });
  const child = spawn(unshare, ['--user', '--map-root-user', '--', '/bin/sh', '-c', ANNOUNCE, 'sh', program, ...args], {
    stdio: [...stdio, 'ignore', 'pipe'],
    env,
  });
  await announced(child);
  return child;
}

/** Says on descriptor 4 that the namespace is there, then becomes the program. */
const ANNOUNCE = 'echo >&4 && exec 3<&- 4>&- "$@"';

/** Waits until the first process of a namespace has announced itself. @throws BoxwrightError `SANDBOX_UNAVAILABLE` */
async function announced(child: ChildProcess): Promise<void> {
  const ready = child.stdio[4];
  if (child.pid === undefined || ready === null || ready === undefined)
    throw unavailable('`unshare` cannot be started', undefined);
  await new Promise<void>((resolve, reject) => {
    ready.once('data', () => resolve());
    const refused = (): void => reject(unavailable('making a user namespace is refused', whyRefused()));
    child.once('error', refused);
    child.once('exit', refused);
  });
  ready.destroy();
}

/** A user without an entry in the passwd file, as in many containers, has no name. */
function currentUser(): { readonly uid: number; readonly gid: number; readonly username: string } {
  try {
    return userInfo();
  } catch {
    return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, username: '' };
  }
}

/** What a user namespace of this user would map. */
export function userNamespaceMap(): UserNamespaceMap {
  const { uid, username } = currentUser();
  const uids = largestRange('/etc/subuid', username, uid);
  const gids = largestRange('/etc/subgid', username, uid);
  const helpers = findProgram('newuidmap') !== undefined && findProgram('newgidmap') !== undefined;
  const reason = !helpers
    ? 'newuidmap and newgidmap are not installed (package uidmap or shadow-utils)'
    : uids === undefined || gids === undefined
      ? `/etc/subuid and /etc/subgid have no range for user ${username || uid}: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username || 'USER'}`
      : undefined;
  return { kind: reason === undefined ? 'ranges' : 'single', uids, gids, reason };
}

function largestRange(file: string, name: string, uid: number): IdRange | undefined {
  if (!existsSync(file)) return undefined;
  return parseSubordinateIds(readFileSync(file, 'utf8'), name, uid).toSorted((a, b) => b.count - a.count)[0];
}

/**
 * The namespace's first process says when it is in (descriptor 4) and waits (descriptor 3) until newuidmap and newgidmap,
 * which are set-uid root, have written its maps; only then it becomes the program. `unshare --map-auto` would do the same
 * but is not in util-linux before 2.38.
 */
async function startWithRanges(
  unshare: string,
  command: readonly string[],
  { uids, gids }: UserNamespaceMap,
  { stdio, env }: { readonly stdio: readonly ('inherit' | 'pipe')[]; readonly env: NodeJS.ProcessEnv },
): Promise<ChildProcess> {
  const script = 'echo >&4 && read -r _ <&3 && exec 3<&- 4>&- "$@"';
  const child = spawn(unshare, ['--user', '--', '/bin/sh', '-c', script, 'sh', ...command], {
    stdio: [...stdio, 'pipe', 'pipe'],
    env,
  });
  try {
    await announced(child);
    const go = child.stdio[3];
    if (child.pid === undefined || go === null || go === undefined || !('write' in go)) {
      throw unavailable('`unshare` cannot be started', undefined);
    }
    const { uid, gid } = currentUser();
    await Promise.all([writeMap('newuidmap', child.pid, uid, uids), writeMap('newgidmap', child.pid, gid, gids)]);
    go.end('\n');
    return child;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function writeMap(
  program: 'newuidmap' | 'newgidmap',
  pid: number,
  own: number,
  range: IdRange | undefined,
): Promise<void> {
  const rest = range === undefined ? [] : [1, range.first, range.count];
  const args = [pid, 0, own, 1, ...rest].map(String);
  await new Promise<void>((resolve, reject) => {
    execFile(findProgram(program) ?? program, args, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else
        reject(
          unavailable(`${program} failed: ${stderr.trim() || error.message}`, `Check /etc/sub${program.slice(3, 6)}.`),
        );
    });
  });
}

/**
 * Passes signals on. The child is in our process group, so that those of the terminal reach it by themselves: a SIGINT
 * from there comes twice, at once, but one of another program (a CI runner) is for this process alone.
 */
async function passThrough(child: ChildProcess): Promise<number> {
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  const ignore = (): void => undefined;
  const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
  for (const signal of forwarded) process.on(signal, forward);
  process.on('SIGQUIT', ignore);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(unavailable(`\`unshare\` cannot be started: ${cause.message}`, 'Install util-linux.')),
      );
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
    process.off('SIGQUIT', ignore);
  }
}

/** Entering the namespace has cleared any death signal, so it is asked for here, when the parent has been killed. */
function dieWithParent(): void {
  const PR_SET_PDEATHSIG = 1;
  prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL);
}

/** The setting that most likely forbids user namespaces, if one does. */
export function whyRefused(): string {
  const settings: readonly (readonly [file: string, forbids: (value: string) => boolean, hint: string])[] = [
    [
      '/proc/sys/kernel/unprivileged_userns_clone',
      (value) => value === '0',
      'sysctl kernel.unprivileged_userns_clone=1',
    ],
    [
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      (value) => value === '1',
      'sysctl kernel.apparmor_restrict_unprivileged_userns=0, or give node an AppArmor profile with `userns,`',
    ],
    ['/proc/sys/user/max_user_namespaces', (value) => value === '0', 'sysctl user.max_user_namespaces=15000'],
  ];
  for (const [file, forbids, hint] of settings) {
    if (existsSync(file) && forbids(readFileSync(file, 'utf8').trim())) return `Ask an administrator for: ${hint}.`;
  }
  return 'In a container, start it with a seccomp profile that allows unshare(CLONE_NEWUSER), or run as root with CAP_SYS_ADMIN.';
}

function unavailable(why: string, hint: string | undefined): BoxwrightError {
  return new BoxwrightError('SANDBOX_UNAVAILABLE', `RUN needs root or a user namespace: ${why}`, {
    hint: `${hint ?? whyRefused()} A Dockerfile without RUN needs neither.`,
  });
}
