import { escapeForTerminal } from '@boxwright/errors';
import type { RepositoryName } from '../repository-name.ts';
import { type AuthFile, credentialOf, parseAuthFile } from './auth-file.ts';
import { AUTH_VARIABLE, authFilePaths, type CredentialEnvironment } from './auth-file-paths.ts';
import type { CredentialExplanation, CredentialStore, LookedAt } from './credential.ts';
import { getFromHelper, type HelperAnswer, notInstalled } from './credential-helper.ts';
import { dockerKey, isDockerHub, keyMatch, keyText, parseCredentialKey } from './credential-key.ts';
import { readAuthFile } from './read-auth-file.ts';

/** What {@link credentialStore} may be given beside the environment. */
export interface CredentialStoreOptions extends CredentialEnvironment {
  /** How long a helper may take, in milliseconds. */
  readonly helperTimeoutMs?: number;
}

/** Helpers of cloud registries give out passwords that live for hours: they are asked again after this time, in milliseconds. */
const HELPER_ANSWER_LIFE = 10 * 60_000;

/**
 * The credentials that Docker and the containers tools (podman, skopeo, buildah) have stored for this user. Files are
 * read at the first question. The most specific entry wins (`host/team/app` before `host/team` before `host`); among equal
 * ones that of the earlier file, and in one file a helper before a stored password.
 */
export function credentialStore(options: CredentialStoreOptions): CredentialStore {
  let files: readonly AuthFile[] | undefined;
  let notes: readonly LookedAt[] = [];
  const answers = new Map<string, { readonly answer: Promise<HelperAnswer>; readonly until: number }>();

  const ask = (helper: string, server: string, signal: AbortSignal | undefined): Promise<HelperAnswer> => {
    const key = `${helper} ${server}`;
    const known = answers.get(key);
    if (known !== undefined && known.until > performance.now()) return known.answer;
    const answer = getFromHelper(server, {
      name: helper,
      environment: options,
      signal,
      timeoutMs: options.helperTimeoutMs,
    });
    answers.set(key, { answer, until: performance.now() + HELPER_ANSWER_LIFE });
    // A failure, or the end of the one who asked first, says nothing to the next one who asks.
    answer.catch(() => answers.delete(key));
    return answer;
  };

  const explain = async (repository: RepositoryName, signal?: AbortSignal): Promise<CredentialExplanation> => {
    if (files === undefined) ({ files, notes } = readFiles(options));
    const looked: LookedAt[] = [...notes];
    for (const candidate of candidates(files, repository)) {
      const { file, place } = candidate;
      if (candidate.kind === 'entry') {
        const credential = credentialOf(file, candidate.key);
        looked.push({ place, result: credential === undefined ? 'nothing' : 'used' });
        if (credential !== undefined) return { found: { credential, origin: place }, looked };
        continue;
      }
      const answer = await ask(candidate.helper, candidate.server, signal);
      if (answer === 'not-installed') {
        // A general helper that came with a copied file keeps nothing here; one that is named for this registry is missed.
        if (candidate.isNamed) throw notInstalled({ name: candidate.helper, environment: options });
        looked.push({ place, result: 'helper not installed' });
      } else if (answer === 'nothing') {
        looked.push({ place, result: 'nothing' });
      } else {
        looked.push({ place, result: 'used' });
        return { found: { credential: answer, origin: place }, looked };
      }
    }
    return { found: undefined, looked };
  };

  return { explain, lookup: async (repository, signal) => (await explain(repository, signal)).found };
}

type Candidate = { readonly file: AuthFile; readonly place: string; readonly specific: number } & (
  | { readonly kind: 'entry'; readonly key: string }
  | { readonly kind: 'helper'; readonly helper: string; readonly server: string; readonly isNamed: boolean }
);

/** What could have the repository's credential, the best first. */
function candidates(files: readonly AuthFile[], repository: RepositoryName): readonly Candidate[] {
  const all = files.flatMap((file) => [...helpers(file, repository), ...entries(file, repository)]);
  // The sort is stable: order of files, and order inside a file, decide among equals.
  return all.sort((a, b) => b.specific - a.specific);
}

function helpers(file: AuthFile, repository: RepositoryName): Candidate[] {
  const origin = escapeForTerminal(file.name);
  const named = [...file.credHelpers]
    .filter(([key]) => keyMatch({ ...parseCredentialKey(key), path: '' }, repository) !== undefined)
    .sort(([a], [b]) => exactness(b, repository) - exactness(a, repository))[0];
  const helper = named === undefined ? file.credsStore : named[1];
  if (helper === undefined || helper === '') return [];
  const setting = named === undefined ? 'credsStore' : `credHelpers["${escapeForTerminal(named[0])}"]`;
  return [
    {
      kind: 'helper',
      file,
      place: `docker-credential-${escapeForTerminal(helper)} (${setting} of ${origin})`,
      specific: 0,
      helper,
      // Docker and podman both ask for the key as it is written.
      server: named === undefined ? dockerKey(repository.registry) : named[0],
      isNamed: named !== undefined,
    },
  ];
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

function readFiles(options: CredentialEnvironment): { files: readonly AuthFile[]; notes: readonly LookedAt[] } {
  const files: AuthFile[] = [];
  const notes: LookedAt[] = [];
  const text = options.env[AUTH_VARIABLE];
  const isOverridden = Boolean(options.env['REGISTRY_AUTH_FILE']);
  if (text !== undefined && text !== '' && !isOverridden) {
    files.push(parseAuthFile(Buffer.from(text), `the variable ${AUTH_VARIABLE}`));
  }
  for (const { path } of authFilePaths(options)) {
    const bytes = readAuthFile(path);
    if (Buffer.isBuffer(bytes)) files.push(parseAuthFile(bytes, path));
    else notes.push({ place: escapeForTerminal(path), result: bytes });
  }
  return { files, notes };
}
