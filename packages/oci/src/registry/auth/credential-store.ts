import { escapeForTerminal } from '@boxwright/errors';
import type { RepositoryName } from '../repository-name.ts';
import { type AuthFile, credentialOf, parseAuthFile } from './auth-file.ts';
import { AUTH_VARIABLE, authFilePaths, type CredentialEnvironment } from './auth-file-paths.ts';
import type { CredentialExplanation, CredentialFile, CredentialStore, LookedAt } from './credential.ts';
import { credentialCandidates } from './credential-candidates.ts';
import { getFromHelper, type HelperAnswer, notInstalled } from './credential-helper.ts';
import { readAuthFile } from './read-auth-file.ts';
import { SharedFlights } from './shared-flights.ts';

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
  let known: ReadFiles | undefined;
  const answers = new Map<string, { readonly answer: HelperAnswer; readonly until: number }>();
  const flights = new SharedFlights<HelperAnswer>();

  const ask = async (name: string, server: string, signal: AbortSignal | undefined): Promise<HelperAnswer> => {
    const key = `${name} ${server}`;
    const before = answers.get(key);
    if (before !== undefined && before.until > performance.now()) return before.answer;
    const timeoutMs = options.helperTimeoutMs;
    const start = (ending: AbortSignal): Promise<HelperAnswer> =>
      getFromHelper(server, { name, environment: options, signal: ending, timeoutMs });
    const answer = await flights.run(key, start, signal);
    answers.set(key, { answer, until: performance.now() + HELPER_ANSWER_LIFE });
    return answer;
  };

  const explain = async (repository: RepositoryName, signal?: AbortSignal): Promise<CredentialExplanation> => {
    known ??= readFiles(options);
    const { contents, files } = known;
    const looked: LookedAt[] = [];
    for (const candidate of credentialCandidates(contents, repository)) {
      const { file, place } = candidate;
      if (candidate.kind === 'entry') {
        const credential = credentialOf(file, candidate.key);
        looked.push({ place, result: credential === undefined ? 'nothing' : 'used' });
        if (credential !== undefined) return { found: { credential, origin: place }, looked, files };
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
        return { found: { credential: answer, origin: place }, looked, files };
      }
    }
    return { found: undefined, looked, files };
  };

  return { explain, lookup: async (repository, signal) => (await explain(repository, signal)).found };
}

interface ReadFiles {
  readonly contents: readonly AuthFile[];
  readonly files: readonly CredentialFile[];
}

function readFiles(options: CredentialEnvironment): ReadFiles {
  const contents: AuthFile[] = [];
  const files: CredentialFile[] = [];
  const text = options.env[AUTH_VARIABLE];
  const isOverridden = Boolean(options.env['REGISTRY_AUTH_FILE']);
  if (text !== undefined && text !== '' && !isOverridden) {
    const name = `the variable ${AUTH_VARIABLE}`;
    contents.push(parseAuthFile(Buffer.from(text), name));
    files.push({ name, state: 'read' });
  }
  for (const { path } of authFilePaths(options)) {
    const bytes = readAuthFile(path);
    const isRead = Buffer.isBuffer(bytes);
    if (isRead) contents.push(parseAuthFile(bytes, path));
    files.push({ name: escapeForTerminal(path), state: isRead ? 'read' : bytes });
  }
  return { contents, files };
}
