import { join, resolve } from 'node:path';

/** Environment and home directory that credentials are looked for in. */
export interface CredentialEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
}

/** A file with credentials, or the variable that holds the text of one. */
export interface AuthFilePath {
  /** Absolute. */
  readonly path: string;
  /** Whose rules hold: Docker's config.json, or containers-auth.json(5). */
  readonly kind: 'docker' | 'containers';
}

/** The variable whose text Docker (28 and later) and CI systems take in place of config.json. */
export const AUTH_VARIABLE = 'DOCKER_AUTH_CONFIG';

/**
 * Files in the order they are looked at. `REGISTRY_AUTH_FILE` is, as for podman and skopeo, the only one; else Docker's
 * file comes first, then those of the containers tools: containers-auth.json(5).
 */
export function authFilePaths({ env, home }: CredentialEnvironment): readonly AuthFilePath[] {
  const only = env['REGISTRY_AUTH_FILE'];
  if (only !== undefined && only !== '') return [{ path: resolve(only), kind: 'containers' }];
  const runtime = env['XDG_RUNTIME_DIR'];
  const paths: AuthFilePath[] = [
    dockerConfigPath({ env, home }),
    ...(runtime === undefined || runtime === '' ? [] : [containers(join(resolve(runtime), 'containers/auth.json'))]),
    containersConfigPath({ env, home }),
  ];
  return paths.filter(({ path }, index) => paths.findIndex((other) => other.path === path) === index);
}

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerConfigPath({ env, home }: CredentialEnvironment): AuthFilePath {
  return { path: join(resolve(env['DOCKER_CONFIG'] || join(home, '.docker')), 'config.json'), kind: 'docker' };
}

/** `$XDG_CONFIG_HOME/containers/auth.json`, which, unlike the one in `$XDG_RUNTIME_DIR`, is still there tomorrow. */
export function containersConfigPath({ env, home }: CredentialEnvironment): AuthFilePath {
  return containers(join(resolve(env['XDG_CONFIG_HOME'] || join(home, '.config')), 'containers/auth.json'));
}

function containers(path: string): AuthFilePath {
  return { path, kind: 'containers' };
}
