import { join } from 'node:path';
import type { EngineEnvironment } from './engine-address.ts';
import { field, readJson } from './json-file.ts';

/** Keys of the config, and the build arguments that they are for. */
const kinds = [
  ['httpProxy', 'HTTP_PROXY'],
  ['httpsProxy', 'HTTPS_PROXY'],
  ['ftpProxy', 'FTP_PROXY'],
  ['noProxy', 'NO_PROXY'],
  ['allProxy', 'ALL_PROXY'],
] as const;

/**
 * Build arguments for the proxies of the Docker config, which `docker build` gives to every build, in both cases: those for
 * the engine that `DOCKER_HOST` names, else the default ones (https://docs.docker.com/engine/cli/proxy/). They may hold a
 * login. A config that cannot be read has none.
 */
export function dockerProxyArgs({ env, home }: EngineEnvironment): ReadonlyMap<string, string> {
  const settings = proxiesOf(env['DOCKER_CONFIG'] || join(home, '.docker'));
  const chosen = field(settings, env['DOCKER_HOST'] ?? '') ?? field(settings, 'default');
  const args = new Map<string, string>();
  for (const [key, name] of kinds) {
    const value = field(chosen, key);
    if (typeof value !== 'string' || value === '') continue;
    args.set(name, value).set(name.toLowerCase(), value);
  }
  return args;
}

function proxiesOf(config: string): unknown {
  try {
    return field(readJson(join(config, 'config.json')), 'proxies');
  } catch {
    return undefined;
  }
}
