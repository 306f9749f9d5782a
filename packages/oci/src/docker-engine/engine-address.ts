import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** Certificates for an engine behind TLS, PEM. */
export interface EngineTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** False: any certificate is taken (`DOCKER_TLS_VERIFY` empty, `SkipTLSVerify` of a context). */
  readonly verify: boolean;
}

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

const fileLimit = 1024 * 1024;

/**
 * The engine that `docker` itself would talk to: `DOCKER_HOST`, else the context that `DOCKER_CONTEXT` or the Docker
 * config names, else the platform's own socket.
 *
 * @throws BoxwrightError ENGINE_ADDRESS_INVALID
 */
export function findEngine(environment: EngineEnvironment): EngineAddress {
  const { env, home } = environment;
  const host = env['DOCKER_HOST'];
  const config = filled(env['DOCKER_CONFIG']) ?? join(home, '.docker');
  if (filled(host) !== undefined)
    return { ...parseEngineHost(host ?? '', tlsOfEnvironment(env, config)), origin: 'DOCKER_HOST' };
  const context = filled(env['DOCKER_CONTEXT']) ?? contextOfConfig(join(config, 'config.json'));
  if (context !== undefined && context !== 'default') return addressOfContext(config, context);
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
      const url = URL.parse(`http://${rest}`);
      if (url === null || url.hostname === '') throw invalid(text, 'it has no host');
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

/** `DOCKER_CERT_PATH` and `DOCKER_TLS_VERIFY`, as the docker command reads them. */
function tlsOfEnvironment(env: EngineEnvironment['env'], config: string): EngineTls | undefined {
  const verify = filled(env['DOCKER_TLS_VERIFY']) !== undefined;
  const path = filled(env['DOCKER_CERT_PATH']);
  if (!verify && path === undefined) return undefined;
  return { ...certificates(path ?? config), verify };
}

function contextOfConfig(path: string): string | undefined {
  const name = field(readJson(path), 'currentContext');
  return typeof name === 'string' ? filled(name) : undefined;
}

/** A context is kept under the hash of its name (docker/cli context/store). */
function addressOfContext(config: string, name: string): EngineAddress {
  const id = createHash('sha256').update(name).digest('hex');
  const shown = escapeForTerminal(name);
  const endpoint = field(field(readJson(join(config, 'contexts/meta', id, 'meta.json')), 'Endpoints'), 'docker');
  const host = field(endpoint, 'Host');
  if (typeof host !== 'string') {
    throw new BoxwrightError('ENGINE_ADDRESS_INVALID', `there is no Docker context "${shown}" in ${config}`, {
      hint: 'docker context ls shows what there is; DOCKER_HOST or DOCKER_CONTEXT=default chooses another engine',
    });
  }
  const found = certificates(join(config, 'contexts/tls', id, 'docker'));
  const skip = field(endpoint, 'SkipTLSVerify') === true;
  const tls = found.ca === undefined && found.cert === undefined && !skip ? undefined : { ...found, verify: !skip };
  return { ...parseEngineHost(host, host.startsWith('tcp:') ? tls : undefined), origin: `context "${shown}"` };
}

function certificates(directory: string): Omit<EngineTls, 'verify'> {
  const ca = readSmall(join(directory, 'ca.pem'));
  const cert = readSmall(join(directory, 'cert.pem'));
  const key = readSmall(join(directory, 'key.pem'));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function readSmall(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.length > fileLimit ? undefined : bytes;
  } catch {
    return undefined;
  }
}

/** Files of the docker command: what is not readable says nothing. */
function readJson(path: string): unknown {
  const bytes = readSmall(path);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return new Map(Object.entries(value)).get(name);
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
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
