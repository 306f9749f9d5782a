import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Credential, CredentialStore } from '@boxwright/oci';

/** What decides which Docker config a command reads. */
export interface DockerConfigPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** Docker Hub's key. */
const HUB = 'https://index.docker.io/v1/';

/**
 * A copy of the user's Docker config with further credentials, for one command: the docker command can be given them in
 * no other way, and nothing must be left in the user's own. Contexts, builders and plugins are those of the user.
 *
 * @returns the directory for DOCKER_CONFIG, or undefined where there is nothing to add
 */
export async function configWithCredentials(
  place: DockerConfigPlace,
  credentials: CredentialStore,
  registries: Iterable<string>,
  directory: string,
): Promise<string | undefined> {
  const found = new Map<string, Credential>();
  for (const registry of new Set(registries)) {
    const credential = (await credentials.lookup({ registry, path: '' }))?.credential;
    if (credential !== undefined) found.set(registry === 'docker.io' ? HUB : registry, credential);
  }
  if (found.size === 0) return undefined;
  const own = resolve(place.env['DOCKER_CONFIG'] || join(place.home, '.docker'));
  const copy = join(directory, 'config');
  mkdirSync(copy, { mode: 0o700 });
  for (const name of namesIn(own)) if (name !== 'config.json') symlinkSync(join(own, name), join(copy, name));
  writeFileSync(join(copy, 'config.json'), JSON.stringify(withAuths(readConfig(own), found)), { mode: 0o600 });
  return copy;
}

function withAuths(config: ReadonlyMap<string, unknown>, found: ReadonlyMap<string, Credential>): unknown {
  const auths = entries(config.get('auths'));
  const helpers = entries(config.get('credHelpers'));
  for (const [key, credential] of found) {
    auths.set(key, authOf(credential));
    // A helper named for the registry, or one for all, would be asked in place of the entry; '' is none.
    helpers.set(key, '');
  }
  return Object.fromEntries([
    ...config,
    ['auths', Object.fromEntries(auths)],
    ['credHelpers', Object.fromEntries(helpers)],
  ]);
}

function authOf(credential: Credential): Readonly<Record<string, string>> {
  switch (credential.kind) {
    case 'password':
      return { auth: Buffer.from(`${credential.username}:${credential.password.reveal()}`).toString('base64') };
    case 'identity-token':
      return { auth: Buffer.from('<token>:').toString('base64'), identitytoken: credential.identityToken.reveal() };
    case 'registry-token':
      return { registrytoken: credential.registryToken.reveal() };
    default:
      return credential satisfies never;
  }
}

function readConfig(directory: string): ReadonlyMap<string, unknown> {
  try {
    return entries(JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')));
  } catch {
    // None, or one that the docker command cannot read either: it says so itself when it has to.
    return new Map();
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function entries(value: unknown): Map<string, unknown> {
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}
