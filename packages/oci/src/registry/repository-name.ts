/** A repository of a registry: what credentials, scopes and mounts are about. */
export interface RepositoryName {
  /** Host as references write it, with the port if any: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** `library/debian` */
  readonly path: string;
}

/** `registry/path`, for messages and keys. */
export function repositoryKey({ registry, path }: RepositoryName): string {
  return `${registry}/${path}`;
}
