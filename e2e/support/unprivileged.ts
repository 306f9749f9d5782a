import { boxwrightPath } from './boxwright.ts';
import { strict } from './environment.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

/** Whom tests become: nobody whom a machine knows. */
export const UNPRIVILEGED_USER: number = 61_234;

/** Arguments of setpriv. */
const asUser = [`--reuid=${UNPRIVILEGED_USER}`, `--regid=${UNPRIVILEGED_USER}`, '--clear-groups'];

/** Becoming another user takes root. */
export const isRoot: boolean = process.getuid?.() === 0;

/** Why no other user can be taken on, or cannot run the command; in strict runs that is a failure. */
export async function whyNoOtherUser(): Promise<string | undefined> {
  if (!isRoot) return 'only root can become another user';
  if ((await run('setpriv', [...asUser, 'test', '-r', boxwrightPath])).code === 0) return undefined;
  const reason = `other users cannot read ${boxwrightPath}: clone the repository to where they can`;
  if (strict) throw new Error(reason);
  return reason;
}

/** Whether this kernel gives plain users user namespaces. */
export async function canMakeNamespaces(): Promise<boolean> {
  return (await run('setpriv', [...asUser, 'unshare', '--user', '--map-root-user', 'true'])).code === 0;
}

/**
 * Runs a command as a user who has been given a range of ids, as a distribution's adduser does: by files that only this command sees.
 *
 * @param directory where these files are made
 */
export function runWithSubordinateIds(
  directory: string,
  command: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const user = UNPRIVILEGED_USER;
  const script = `
for name in passwd subuid subgid; do cat /etc/$name 2>/dev/null > "$1/$name" || :; done
echo "e2e:x:${user}:${user}::/:/bin/sh" >> "$1/passwd"
for name in subuid subgid; do echo "e2e:700000:65536" >> "$1/$name"; done
for name in passwd subuid subgid; do mount --bind "$1/$name" /etc/$name; done
shift
exec setpriv ${asUser.join(' ')} "$@"`;
  const args = ['--mount', '--propagation=private', 'sh', '-euc', script, 'sh', directory, ...command];
  return run('unshare', args, options);
}
