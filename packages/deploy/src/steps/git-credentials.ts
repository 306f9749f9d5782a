import { BoxwrightError } from '@boxwright/errors';
import type { MappingNode } from '../yaml/index.ts';
import type { StepContext } from './step-context.ts';
import { StepInputs } from './step-inputs.ts';

/** What a git host takes: Prefect's GitHub, GitLab and Bitbucket blocks have these fields among others. */
export interface GitCredentials {
  readonly username?: string | undefined;
  readonly token?: string | undefined;
  /** Taken when there is no token. */
  readonly password?: string | undefined;
}

/** Reads `credentials`; other fields of a block (url, instance) do not count. @throws LocatedError STEP_INPUT_INVALID */
export function readGitCredentials(node: MappingNode): GitCredentials {
  const inputs = new StepInputs('git_clone: credentials', node);
  const token = inputs.text('token') ?? inputs.text('access_token');
  return { username: inputs.text('username'), token, password: inputs.text('password') };
}

/**
 * The environment for git: it never asks on a terminal, and gives the credentials as a header to this repository's host
 * alone.
 *
 * @throws BoxwrightError STEP_INPUT_INVALID for credentials without a secret, or for an address that takes none
 */
export function gitEnvironment(
  { env, redactor }: Pick<StepContext, 'env' | 'redactor'>,
  repository: string,
  credentials: GitCredentials | undefined,
): Readonly<Record<string, string | undefined>> {
  const quiet = { ...env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  if (credentials === undefined) return quiet;
  const secret = credentials.token ?? credentials.password;
  if (secret === undefined || secret === '') {
    throw invalid('Please provide a `token` or `password` in your Credentials block to clone a repo.');
  }
  redactor.add(secret);
  const url = URL.parse(repository);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw invalid(
      'credentials are for repositories with an address that begins with https://',
      'Use an SSH key there.',
    );
  }
  const [user, password] = userAndPassword(url.hostname, credentials.username, secret);
  redactor.addLogin(user, password);
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  // git config by environment (git-config, GIT_CONFIG_COUNT); what is there already comes first.
  const count = Number.parseInt(env['GIT_CONFIG_COUNT'] ?? '0', 10) || 0;
  return {
    ...quiet,
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: `http.${url.origin}/.extraHeader`,
    [`GIT_CONFIG_VALUE_${count}`]: `Authorization: Basic ${basic}`,
  };
}

/** How the hosts want a token: the user names are theirs. A token `user:secret` has its user in it. */
function userAndPassword(
  host: string,
  username: string | undefined,
  secret: string,
): readonly [user: string, password: string] {
  if (username !== undefined && username !== '') return [username, secret];
  const colon = secret.indexOf(':');
  if (colon > 0) return [secret.slice(0, colon), secret.slice(colon + 1)];
  if (host.includes('bitbucketserver')) {
    throw invalid('Please prefix your BitBucket Server access token with its username: USER:TOKEN.');
  }
  if (host.includes('bitbucket')) return ['x-token-auth', secret];
  if (host.includes('gitlab')) return ['oauth2', secret];
  return ['x-access-token', secret];
}

function invalid(why: string, hint?: string): BoxwrightError {
  return new BoxwrightError('STEP_INPUT_INVALID', `git_clone: ${why}`, {
    hint: hint ?? 'Mend the credentials of the step.',
    details: { step: 'git_clone', input: 'credentials' },
  });
}
