import type { RegistrySettings } from '../config/registries-config.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { RegistryRequest } from './registries.ts';

/** Where a repository may be read from instead. */
export interface Mirror {
  readonly host: string;
  /** Goes before the repository's path: empty, or ends with a slash. */
  readonly prefix: string;
  readonly plainHttp: boolean;
}

/** The mirrors that are set for a registry, in the order they are asked. */
export function mirrorsOf({ mirrors }: RegistrySettings): readonly Mirror[] {
  return mirrors.map((text) => {
    const bare = text.replace(/^https?:\/\//, '').replace(/\/+$/, '');
    const slash = bare.indexOf('/');
    return {
      host: slash < 0 ? bare : bare.slice(0, slash),
      prefix: slash < 0 ? '' : `${bare.slice(slash + 1)}/`,
      plainHttp: text.startsWith('http://'),
    };
  });
}

/** The repository as the mirror has it. */
export function mirrored(repository: RepositoryName, { host, prefix }: Mirror): RepositoryName {
  return { registry: host, path: `${prefix}${repository.path}` };
}

/**
 * The request as it goes to the mirror, where only success counts: what a mirror lacks, the registry may have. Undefined
 * when it is about something else than the repository.
 */
export function mirroredRequest(
  request: RegistryRequest,
  repository: RepositoryName,
  there: RepositoryName,
): RegistryRequest | undefined {
  const before = `/v2/${repository.path}/`;
  if (typeof request.target !== 'string' || !request.target.startsWith(before)) return undefined;
  return {
    ...request,
    target: `/v2/${there.path}/${request.target.slice(before.length)}`,
    scopes: [{ repository: there, actions: ['pull'] }],
    expect: request.expect.filter((status) => status < 300),
  };
}
