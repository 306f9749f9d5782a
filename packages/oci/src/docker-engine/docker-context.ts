import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type EngineTls, tlsOfContext } from './engine-tls.ts';
import { field, readJson } from './json-file.ts';

/** What a Docker context says of its engine. */
export interface DockerContext {
  /** As `DOCKER_HOST` has it. */
  readonly host: string;
  readonly tls: EngineTls | undefined;
}

/** The context that `docker context use` chose. A config that cannot be read chooses none, as for the docker command. */
export function currentContext(config: string): string | undefined {
  try {
    const name = field(readJson(join(config, 'config.json')), 'currentContext');
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A context by its name; it is kept under the hash of that (docker/cli context/store).
 *
 * @param config directory of the Docker config
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID
 */
export function dockerContext(config: string, name: string): DockerContext {
  const id = createHash('sha256').update(name).digest('hex');
  const endpoint = field(field(readJson(join(config, 'contexts/meta', id, 'meta.json')), 'Endpoints'), 'docker');
  const host = field(endpoint, 'Host');
  if (typeof host === 'string' && host !== '') {
    const skip = field(endpoint, 'SkipTLSVerify') === true;
    return { host, tls: tlsOfContext(join(config, 'contexts/tls', id, 'docker'), skip) };
  }
  throw new BoxwrightError(
    'ENGINE_ADDRESS_INVALID',
    `there is no Docker context "${escapeForTerminal(name)}" in ${escapeForTerminal(config)}`,
    { hint: 'docker context ls shows what there is; DOCKER_HOST or DOCKER_CONTEXT=default chooses another engine' },
  );
}
