import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { readSmallFile } from './small-file.ts';

/** Certificates for an engine behind TLS, PEM. */
export interface EngineTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** False: any certificate is taken (`DOCKER_TLS_VERIFY` empty, `SkipTLSVerify` of a context). */
  readonly verify: boolean;
  /** Where they are from, for errors; absent for an address that is `https://` and no more. */
  readonly directory?: string;
}

/**
 * `DOCKER_CERT_PATH` and `DOCKER_TLS_VERIFY`, as the docker command reads them: with verification there has to be an
 * authority.
 *
 * @param config directory of the Docker config, where certificates are without DOCKER_CERT_PATH
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID
 */
export function tlsOfEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  config: string,
): EngineTls | undefined {
  const verify = Boolean(env['DOCKER_TLS_VERIFY']);
  const path = env['DOCKER_CERT_PATH'];
  if (!verify && !path) return undefined;
  const tls = { ...certificatesIn(path || config), verify };
  if (!verify || tls.ca !== undefined) return tls;
  const shown = escapeForTerminal(tls.directory);
  throw new BoxwrightError('ENGINE_ADDRESS_INVALID', `there is no ca.pem in ${shown} to check the engine with`, {
    hint: 'point DOCKER_CERT_PATH at the directory with ca.pem, cert.pem and key.pem, or unset DOCKER_TLS_VERIFY',
  });
}

/**
 * The certificates of a Docker context; undefined where it has none, which is plain HTTP.
 *
 * @param skip `SkipTLSVerify` of the context
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID
 */
export function tlsOfContext(directory: string, skip: boolean): EngineTls | undefined {
  const found = certificatesIn(directory);
  return found.ca === undefined && found.cert === undefined && !skip ? undefined : { ...found, verify: !skip };
}

function certificatesIn(directory: string): Omit<EngineTls, 'verify'> & { readonly directory: string } {
  const ca = readSmallFile(join(directory, 'ca.pem'));
  const cert = readSmallFile(join(directory, 'cert.pem'));
  const key = readSmallFile(join(directory, 'key.pem'));
  return {
    directory,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
