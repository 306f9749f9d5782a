import { chmodSync, cpSync, existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { runOk } from '../support/run.ts';
import { CASE_FILES, type CorpusCase } from './corpus-case.ts';

/** 2021-01-01T00:00:00Z; files of the context get this time plus a number that follows from their path. */
const CONTEXT_TIME = 1_609_459_200;
const YEAR_2000_MS = 946_684_800_000;

/**
 * Copies a case's files to `target`, makes modes independent of git and umask, runs the case's `setup.sh` there (for what
 * git cannot keep: links, fifos, owners, xattrs, odd names), then gives everything times that are the same on every
 * machine. Files that `setup.sh` dated before 2000 keep their time.
 */
export async function prepareContext(corpusCase: CorpusCase, target: string): Promise<void> {
  mkdirSync(target, { mode: 0o755 });
  for (const name of readdirSync(corpusCase.directory)) {
    if (CASE_FILES.includes(name)) continue;
    cpSync(join(corpusCase.directory, name), join(target, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const { absolute, stat } of childrenFirst(target)) {
    if (stat.isSymbolicLink()) continue;
    chmodSync(absolute, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
  const setup = join(corpusCase.directory, 'setup.sh');
  if (existsSync(setup)) await runOk('sh', ['-euc', `umask 022; . "${setup}"`], { cwd: target });
  for (const { absolute, relative, stat } of childrenFirst(target)) {
    if (stat.mtimeMs < YEAR_2000_MS) continue;
    const time = CONTEXT_TIME + checksum(relative);
    lutimesSync(absolute, time, time);
  }
}

interface Visited {
  readonly absolute: string;
  readonly relative: string;
  readonly stat: Stats;
}

/** Children first, so that a directory's time is set after its names were made. Links are not followed. */
function childrenFirst(root: string, path = ''): Visited[] {
  return readdirSync(join(root, path), { encoding: 'buffer' }).flatMap((bytes) => {
    // Names that are no UTF-8 keep the time they have: cases that use them date them by hand.
    const name = bytes.toString();
    if (!Buffer.from(name).equals(bytes)) return [];
    const relative = join(path, name);
    const absolute = join(root, relative);
    const stat = lstatSync(absolute);
    return [...(stat.isDirectory() ? childrenFirst(root, relative) : []), { absolute, relative, stat }];
  });
}

function checksum(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 10_000_000;
  return sum;
}
