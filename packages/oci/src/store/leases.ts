import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, removeFile, unlessMissing } from './files.ts';
import { mayBeAlive, parseOwnedName } from './owner.ts';
import { finishedSuffix } from './session.ts';

/** Leases of sessions that are over: closed, or their process is gone. */
export function finishedLeases(leases: string): Set<string> {
  return new Set(
    namesIn(leases).filter((name) => {
      const owner = parseOwnedName(name);
      return owner === undefined || name.endsWith(finishedSuffix) || !mayBeAlive(owner, join(leases, name));
    }),
  );
}

/** The lines of all leases but the ignored ones: what sessions use, as `<kind> <name>`. */
export function leasedThings(leases: string, ignored: ReadonlySet<string>): Set<string> {
  const things = new Set<string>();
  for (const name of namesIn(leases)) {
    if (ignored.has(name)) continue;
    const path = join(leases, name);
    // Closed since the directory was read: a session that is closed during a collection renames its lease.
    const read = (file: string): string | undefined => unlessMissing(() => readFileSync(file, 'latin1'));
    const text = read(path) ?? read(`${path}${finishedSuffix}`) ?? '';
    for (const line of text.split('\n')) if (line !== '') things.add(line);
  }
  return things;
}

/** Removes leases that are over. */
export function removeLeases(leases: string, names: Iterable<string>): void {
  for (const name of names) removeFile(join(leases, name));
}
