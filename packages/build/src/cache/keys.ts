import { createHash } from 'node:crypto';
import type { CopyOperation, RunOperation, WorkdirOperation } from '../plan/operation.ts';

/** Changes whenever what a step produces from the same inputs changes, so that old records are not used. */
const KEY_VERSION = 'boxwright-cache-1';

/** One key out of several strings, none of which can run into its neighbour. */
export function combineKeys(...parts: readonly string[]): string {
  const hash = createHash('sha256').update(KEY_VERSION);
  for (const part of parts) hash.update(`\0${part.length}:${part}`);
  return hash.digest('hex');
}

/** Key of a file system made of these layers. */
export function layersKey(diffIds: readonly string[]): string {
  return combineKeys('layers', ...diffIds);
}

/** Key of a COPY or ADD: what it makes depends on the image below (unless --link), the flags and the sources' content. */
export function copyKey(parent: string, operation: CopyOperation, content: string, epoch: string): string {
  const { dest, chown = '', chmod = '', exclude, link } = operation;
  // With a name in --chown the result depends on the image's /etc/passwd.
  const below = link && /^[\d:]*$/.test(chown) ? 'link' : parent;
  return combineKeys('copy', below, dest, chown, chmod, JSON.stringify(exclude), String(link), content, epoch);
}

/** Key by which the content digest of sources in another stage is found again without looking at the files. */
export function copySourceKey(operation: CopyOperation, sources: readonly string[]): string {
  const transfers = operation.transfers.map(({ path, wildcards, include, required, unpack, followLinks }) => [
    path,
    wildcards,
    include,
    required ?? null,
    unpack,
    followLinks,
  ]);
  return combineKeys('copy-source', JSON.stringify(transfers), JSON.stringify(operation.exclude), ...sources);
}

export function workdirKey(parent: string, operation: WorkdirOperation, epoch: string): string {
  return combineKeys('workdir', parent, operation.path, operation.user, epoch);
}

/**
 * Key of a RUN. Secrets count by name only and proxies not at all: their values must not leak into keys, and a new
 * token is no reason to run a command again (BuildKit does the same). `mounts`: a key for what each bind mount shows.
 */
export function runKey(parent: string, operation: RunOperation, mounts: readonly string[], epoch: string): string {
  const { args, env, cwd, user, network, extraHosts, script } = operation;
  const flags = operation.mounts.map((mount) => {
    const { type, ...options } = mount;
    return [type, { ...options, from: undefined }];
  });
  return combineKeys(
    'run',
    parent,
    JSON.stringify([args, env, cwd, user, network, extraHosts, script ?? null]),
    JSON.stringify(flags),
    ...mounts,
    epoch,
  );
}
