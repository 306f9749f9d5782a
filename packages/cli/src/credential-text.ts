import { escapeForTerminal } from '@boxwright/errors';
import { type CredentialExplanation, describeCredential, type RepositoryName } from '@boxwright/oci';

/** What `login --explain` prints for people. Never a secret. */
export function credentialText(repository: RepositoryName, { found, looked, files }: CredentialExplanation): string {
  const name = nameOf(repository);
  const lines: [string, string][] = [
    [
      'credentials',
      found === undefined ? 'none: asked as anybody' : escapeForTerminal(describeCredential(found.credential)),
    ],
    ['from', found?.origin ?? '-'],
    ...scopesOf(repository).map(([use, scope]): [string, string] => [`to ${use}`, `token scope ${scope}`]),
    ...listed(
      'looked at',
      looked.map(({ place, result }) => `${place}: ${result}`),
    ),
    ...listed(
      'files',
      files.map(({ name: file, state }) => `${file}: ${state}`),
    ),
  ];
  return `${name}\n${lines.map(([label, text]) => `  ${label.padEnd(13)}${text}\n`).join('')}`;
}

/** One line per item, the label before the first. */
function listed(label: string, items: readonly string[]): [string, string][] {
  return items.map((item, index) => [index === 0 ? label : '', item]);
}

/** The same for programs. */
export function credentialJson(repository: RepositoryName, { found, looked, files }: CredentialExplanation): object {
  const credential = found?.credential;
  return {
    repository: nameOf(repository),
    credential:
      found === undefined || credential === undefined
        ? null
        : {
            kind: credential.kind,
            ...(credential.kind === 'password' ? { username: credential.username } : {}),
            origin: found.origin,
          },
    scopes: Object.fromEntries(scopesOf(repository)),
    looked,
    files,
  };
}

/** What a token service, if the registry has one, is asked for. */
function scopesOf({ path }: RepositoryName): [use: string, scope: string][] {
  if (path === '') return [];
  return [
    ['pull', `repository:${path}:pull`],
    ['push', `repository:${path}:pull,push`],
  ];
}

function nameOf({ registry, path }: RepositoryName): string {
  return path === '' ? registry : `${registry}/${path}`;
}
