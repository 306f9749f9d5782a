import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { strict } from '../support/environment.ts';
import { run } from '../support/run.ts';

/** How CNCF Distribution (Debian's docker-registry) is to be started. */
export interface DockerRegistryOptions {
  /** Its data, configuration and log; it is removed when the registry stops. */
  readonly directory: string;
  /** `htpasswd`: one user, {@link REGISTRY_USER}. `token`: a token service somewhere, whose certificate is trusted. */
  readonly auth?:
    | { readonly kind: 'htpasswd' }
    | { readonly kind: 'token'; readonly realm: string; readonly issuer: string; readonly certificate: string };
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Takes nothing, as a registry does that is being maintained. */
  readonly readOnly?: boolean;
}

/** A running docker-registry. */
export interface DockerRegistry {
  /** `http://127.0.0.1:PORT`, or https */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Lines of its log that say which requests it got. */
  readonly requests: () => string[];
  readonly stop: () => Promise<void>;
}

/** The one user of registries with htpasswd. */
export const REGISTRY_USER: { readonly name: string; readonly password: string } = {
  name: 'ann',
  password: 'correct horse',
};

/** {@link REGISTRY_USER} as `htpasswd -B` writes it. */
const HTPASSWD = 'ann:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n';

/** What tokens for our registries are made for. */
export const TOKEN_SERVICE = 'e2e-registry';

/** Why no registry can be started here, or undefined. In strict runs that is a failure. */
export async function missingDockerRegistry(): Promise<string | undefined> {
  const result = await run('docker-registry', ['--version']).catch(() => undefined);
  if (result?.code === 0) return undefined;
  const missing = 'no docker-registry on this machine (apt-get install docker-registry)';
  if (strict) throw new Error(missing);
  console.log(`end-to-end: ${missing}`);
  return missing;
}

/** Starts a registry on a free loopback port; it ends with this process at the latest. Throws with its log. */
export async function startDockerRegistry(options: DockerRegistryOptions): Promise<DockerRegistry> {
  const { directory, tls } = options;
  mkdirSync(directory, { recursive: true });
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    return join(directory, name);
  };
  const logPath = join(directory, 'log');
  const configuration = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: join(directory, 'data') },
      delete: { enabled: true },
      ...(options.readOnly === true ? { maintenance: { readonly: { enabled: true } } } : {}),
    },
    http: {
      addr: '127.0.0.1:0',
      secret: 'e2e',
      ...(tls === undefined ? {} : { tls: { certificate: file('cert.pem', tls.cert), key: file('key.pem', tls.key) } }),
    },
    ...authentication(options, file),
  };
  const log = openSync(logPath, 'w');
  const child = spawn(
    'setpriv',
    // JSON is YAML.
    ['--pdeathsig=KILL', 'docker-registry', 'serve', file('config.yml', JSON.stringify(configuration))],
    { stdio: ['ignore', log, log] },
  );
  const ended = new Promise<void>((fulfil) => {
    child.once('exit', () => fulfil());
    child.once('error', () => fulfil());
  });
  const logText = (): string => (existsSync(logPath) ? readFileSync(logPath, 'utf8') : '');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const host = /listening on (127\.0\.0\.1:\d+)/.exec(logText())?.[1];
    if (host !== undefined) {
      const requests = (): string[] =>
        [...logText().matchAll(/"((?:GET|HEAD|PUT|POST|PATCH|DELETE) \S+) HTTP/g)].map(([, line = '']) => line);
      return { url: `${tls === undefined ? 'http' : 'https'}://${host}`, host, requests, stop };
    }
    await sleep(25);
  }
  const text = logText();
  await stop();
  throw new Error(`docker-registry did not start:\n${text}`);
}

function authentication(
  { auth }: DockerRegistryOptions,
  file: (name: string, content: string) => string,
): Readonly<Record<string, unknown>> {
  switch (auth?.kind) {
    case undefined:
      return {};
    case 'htpasswd':
      return { auth: { htpasswd: { realm: 'e2e', path: file('htpasswd', HTPASSWD) } } };
    case 'token': {
      const { realm, issuer, certificate } = auth;
      const rootcertbundle = file('token.pem', certificate);
      return { auth: { token: { realm, service: TOKEN_SERVICE, issuer, rootcertbundle } } };
    }
    default:
      return auth satisfies never;
  }
}
