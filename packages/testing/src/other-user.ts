import { spawnSync } from 'node:child_process';

/** A user id that nobody has; one without a range of subordinate ids. */
export const otherUser: { readonly uid: number; readonly gid: number } = { uid: 54_321, gid: 54_321 };

/**
 * Why another user cannot run a file of the sources: the repository lies in a directory that is closed to others, such as
 * root's home. Undefined when nothing is in the way; only root can find out.
 */
export function whyOtherUserCannotRun(script: string): string | undefined {
  const text = `require('node:fs').readFileSync(${JSON.stringify(script)})`;
  const { status } = spawnSync(process.execPath, ['-e', text], otherUser);
  return status === 0 ? undefined : 'the sources are not readable for other users';
}
