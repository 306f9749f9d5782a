import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type CredentialStore, type RepositoryName, registryOfHost, Secret } from '@boxwright/oci';
import type { MappingNode } from '../yaml/index.ts';
import type { Redactor } from './redactor.ts';
import { StepInputs } from './step-inputs.ts';

/** A login for one registry that is kept in memory, for one step: Prefect's `docker-registry-credentials` block. */
export interface RegistryLogin {
  /** Registry as references name it: `docker.io`, `registry.example.com:5000`. */
  readonly registry: string;
  readonly username: string;
  readonly password: Secret;
}

/** Credentials of a registry, as Prefect's block has them. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  /** With or without scheme; Docker Hub when absent, as with docker-py. */
  readonly registryUrl?: string | undefined;
  /** Accepted, and means nothing: no login is ever stored that could be used instead. */
  readonly reauth?: boolean | undefined;
}

/** Reads `credentials` of a push step. @throws LocatedError STEP_INPUT_INVALID */
export function readCredentials(step: string, node: MappingNode): RegistryCredentials {
  const inputs = new StepInputs(`${step}: credentials`, node);
  inputs.refuseUnknown(['username', 'password', 'registry_url', 'reauth']);
  return {
    username: inputs.requiredText('username'),
    password: inputs.requiredText('password'),
    registryUrl: inputs.text('registry_url'),
    reauth: inputs.boolean('reauth'),
  };
}

/** A login made of credentials; the redactor knows it from then on. @throws BoxwrightError STEP_INPUT_INVALID */
export function registryLogin(credentials: RegistryCredentials, redactor: Redactor): RegistryLogin {
  const { username, password, registryUrl = '' } = credentials;
  redactor.addLogin(username, password);
  return { registry: registryOfUrl(registryUrl), username, password: new Secret(password) };
}

/**
 * The registry that a URL or address stands for; its path does not count, as with Docker.
 *
 * @throws BoxwrightError STEP_INPUT_INVALID
 */
export function registryOfUrl(url: string): string {
  if (url === '') return 'docker.io';
  const [host = ''] = url.replace(/^[a-z]+:\/\//i, '').split('/');
  // A user in an address would be no part of any registry's name; it must not get into messages either.
  if (!/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?$/i.test(host)) {
    const shown = escapeForTerminal(url.replace(/\/\/[^/]*@/, '//***@'));
    throw new BoxwrightError('STEP_INPUT_INVALID', `registry_url "${shown}" is not a registry`, {
      hint: 'Write HOST or HOST:PORT, for example registry.example.com.',
      details: { input: 'credentials' },
    });
  }
  return registryOfHost(host.toLowerCase());
}

/** The login for its registry, and what the user has stored for all others. */
export function credentialsWith(login: RegistryLogin | undefined, others: CredentialStore): CredentialStore {
  if (login === undefined) return others;
  const { username, password } = login;
  const found = {
    credential: { kind: 'password', username, password } as const,
    origin: 'the credentials of the step',
  };
  const isFor = ({ registry }: RepositoryName): boolean => registryOfHost(registry.toLowerCase()) === login.registry;
  return {
    lookup: (repository, signal) => (isFor(repository) ? Promise.resolve(found) : others.lookup(repository, signal)),
    explain: (repository, signal) =>
      isFor(repository)
        ? Promise.resolve({ found, looked: [{ place: found.origin, result: 'used' }], files: [] })
        : others.explain(repository, signal),
  };
}
