import { homedir } from 'node:os';
import { type EngineClient, engineClient, findEngine } from '@boxwright/oci';

/** How {@link dockerClient} finds the engine. */
export interface DockerClientOptions {
  /** Environment in place of this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
}

/**
 * Prefect's `docker_client`: the Docker Engine that `docker` would talk to: `DOCKER_HOST`, else the chosen Docker context,
 * else the usual socket. Nothing is sent before the first request, and nothing has to be closed. Errors are those of the
 * request: only an engine that nobody reaches is ENGINE_UNREACHABLE.
 *
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID
 */
export function dockerClient(options: DockerClientOptions = {}): EngineClient {
  const { env = process.env } = options;
  return engineClient(findEngine({ env, home: options.home ?? (env['HOME'] || homedir()) }));
}
