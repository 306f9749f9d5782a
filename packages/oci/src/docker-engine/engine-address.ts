import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { currentContext, dockerContext } from './docker-context.ts';
import { type EngineTls, tlsOfEnvironment } from './engine-tls.ts';

/** Where a Docker Engine listens. */
export interface EngineAddress {
  /** As the user would write it: `unix:///var/run/docker.sock`. */
  readonly text: string;
  /** What said so: `DOCKER_HOST`, `context "colima"`, `default`. */
  readonly origin: string;
  /** Unix socket, or named pipe on Windows. */
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  /** Absent: plain HTTP. */
  readonly tls?: EngineTls;
}

/** What decides which engine is meant. */
export interface EngineEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home directory of the user. */
  readonly home: string;
  readonly platform?: NodeJS.Platform;
}

/**
 * The engine that `docker` itself would talk to: `DOCKER_HOST`, else the context that `DOCKER_CONTEXT` or the Docker
 * config names, else the platform's own socket.
 *
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID
 */
export function findEngine(environment: EngineEnvironment): EngineAddress {
  const { env, home } = environment;
  const config = env['DOCKER_CONFIG'] || join(home, '.docker');
  const host = env['DOCKER_HOST'];
  if (host) {
    const tls = isOverNetwork(host) ? tlsOfEnvironment(env, config) : undefined;
    return { ...parseEngineHost(host, tls), origin: 'DOCKER_HOST' };
  }
  const context = env['DOCKER_CONTEXT'] || currentContext(config);
  if (context !== undefined && context !== 'default') {
    const found = dockerContext(config, context);
    const origin = `context "${escapeForTerminal(context)}"`;
    return { ...parseEngineHost(found.host, isOverNetwork(found.host) ? found.tls : undefined), origin };
  }
  const own =
    (environment.platform ?? process.platform) === 'win32'
      ? 'npipe:////./pipe/docker_engine'
      : 'unix:///var/run/docker.sock';
  return { ...parseEngineHost(own, undefined), origin: 'default' };
}

/**
 * Reads an engine's address as Docker writes it.
 *
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID
 */
export function parseEngineHost(text: string, tls: EngineTls | undefined): Omit<EngineAddress, 'origin'> {
  const [scheme, rest] = text.includes('://') ? splitOnce(text, '://') : ['tcp', text];
  switch (scheme) {
    case 'unix':
      if (!rest.startsWith('/')) throw invalid(text, 'the path of the socket is not absolute');
      return { text, socketPath: rest };
    case 'npipe':
      return { text, socketPath: rest.replaceAll('/', '\\') };
    case 'tcp':
    case 'http':
    case 'https': {
      const secure = scheme === 'https' || tls !== undefined;
      // Not as http, of which a URL leaves port 80 out.
      const url = URL.parse(`tcp://${rest}`);
      if (url === null || url.hostname === '') throw invalid(text, 'it has no host');
      if (url.pathname !== '' && url.pathname !== '/') throw invalid(text, 'it has a path');
      const port = url.port === '' ? (secure ? 2376 : 2375) : Number(url.port);
      const host = url.hostname.replace(/^\[|\]$/g, '');
      return { text, host, port, ...(secure ? { tls: tls ?? { verify: true } } : {}) };
    }
    case 'ssh':
      throw invalid(
        text,
        'engines behind ssh are not supported',
        `forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock ${escapeForTerminal(rest)}, then DOCKER_HOST=unix:///tmp/docker.sock`,
      );
    default:
      throw invalid(text, `"${escapeForTerminal(scheme)}" is no scheme of an engine`);
  }
}

/** Certificates are for these only, wherever they are named. */
function isOverNetwork(host: string): boolean {
  return !/^(?:unix|npipe|ssh):/.test(host);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

function invalid(text: string, why: string, hint?: string): BoxwrightError {
  return new BoxwrightError(
    'ENGINE_ADDRESS_INVALID',
    `"${escapeForTerminal(text)}" is no address of a Docker Engine: ${why}`,
    {
      hint: hint ?? 'give DOCKER_HOST as unix:///PATH, tcp://HOST:PORT or npipe:////./pipe/NAME',
    },
  );
}
