import { escapeForTerminal } from '@boxwright/errors';
import type { RepositoryName } from '../repository-name.ts';
import type { AuthFile } from './auth-file.ts';
import { dockerKey, isDockerHub, keyMatch, keyText, parseCredentialKey } from './credential-key.ts';

/** An entry or helper that could have a repository's credential. */
export type Candidate = { readonly file: AuthFile; readonly place: string; readonly specific: number } & (
  | { readonly kind: 'entry'; readonly key: string }
  | { readonly kind: 'helper'; readonly helper: string; readonly server: string; readonly isNamed: boolean }
);

/** What could have the repository's credential, the best first. */
export function credentialCandidates(files: readonly AuthFile[], repository: RepositoryName): readonly Candidate[] {
  const all = files.flatMap((file) => [...helpers(file, repository), ...entries(file, repository)]);
  // The sort is stable: order of files, and order inside a file, decide among equals.
  return all.toSorted((a, b) => b.specific - a.specific);
}

/** The helper that a file names for a registry, `credHelpers` before `credsStore`. */
export interface NamedHelper {
  readonly helper: string;
  /** What it is asked for: Docker and podman both ask for the key of credHelpers as it is written. */
  readonly server: string;
  /** Named for this registry, not for all. */
  readonly isNamed: boolean;
  /** In words. */
  readonly place: string;
}

/** See {@link NamedHelper}; helpers know registries, not repositories. */
export function helperFor(file: AuthFile, repository: RepositoryName): NamedHelper | undefined {
  const named = [...file.credHelpers]
    .filter(([key]) => keyMatch(parseCredentialKey(key), { ...repository, path: '' }) === 0)
    .sort(([a], [b]) => exactness(b, repository) - exactness(a, repository))[0];
  const helper = named === undefined ? file.credsStore : named[1];
  if (helper === undefined || helper === '') return undefined;
  const setting = named === undefined ? 'credsStore' : `credHelpers["${escapeForTerminal(named[0])}"]`;
  return {
    helper,
    server: named === undefined ? dockerKey(repository.registry) : named[0],
    isNamed: named !== undefined,
    place: `docker-credential-${escapeForTerminal(helper)} (${setting} of ${escapeForTerminal(file.name)})`,
  };
}

function helpers(file: AuthFile, repository: RepositoryName): Candidate[] {
  const named = helperFor(file, repository);
  return named === undefined ? [] : [{ kind: 'helper', file, specific: 0, ...named }];
}

function entries(file: AuthFile, repository: RepositoryName): Candidate[] {
  const origin = escapeForTerminal(file.name);
  return [...file.auths.keys()]
    .map((key) => ({ key, specific: keyMatch(parseCredentialKey(key), repository) }))
    .flatMap(({ key, specific }): Candidate[] => {
      const place = `auths["${escapeForTerminal(key)}"] of ${origin}`;
      return specific === undefined ? [] : [{ kind: 'entry', file, place, specific, key }];
    })
    .sort((a, b) => exactness(keyOf(b), repository) - exactness(keyOf(a), repository));
}

function keyOf(candidate: Candidate): string {
  return candidate.kind === 'entry' ? candidate.key : '';
}

/** Among keys that mean the same, the one that is written as it should be goes first. */
function exactness(key: string, { registry }: RepositoryName): number {
  const own = parseCredentialKey(key);
  if (key === keyText(own)) return 1;
  return isDockerHub(registry) && key === dockerKey(registry) ? 2 : 0;
}
