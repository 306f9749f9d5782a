import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { TlsChoice, TlsSettings } from '../transport/tls-settings.ts';
import { portOf } from '../transport/url-parts.ts';
import type { ConfigLocation } from './read-config.ts';
import { type RegistriesConfig, settingsOf } from './registries-config.ts';
import { registryOfHost } from './registry-host.ts';

const MAX_BYTES = 1024 * 1024;
const MAX_FILES = 100;

/**
 * TLS of hosts: what `registries.json` says of them, and the files that Docker and Podman take from `certs.d/HOST`
 * directories (`*.crt` are authorities, `NAME.cert` and `NAME.key` a client certificate). Directories are looked into
 * only when the host is connected to.
 *
 * @throws BoxwrightError REGISTRY_CONFIG_INVALID, from the choice, when a file cannot be read
 */
export function tlsFromConfig(config: RegistriesConfig, location: ConfigLocation): TlsChoice {
  return (url) => {
    const settings = settingsOf(config, registryOfHost(url.host));
    const found = readDirectories(certificateDirectories(url, location));
    const ca = [...(settings.ca === undefined ? [] : [readPem(settings.ca)]), ...found.ca];
    const client =
      settings.cert !== undefined && settings.key !== undefined
        ? { cert: readPem(settings.cert), key: readPem(settings.key) }
        : found.client;
    return { ...client, ...(ca.length === 0 ? {} : { ca }), ...(settings.insecure ? { insecure: true } : {}) };
  };
}

/** The user's directories first; the machine's behind them. */
function certificateDirectories(url: URL, { env, home }: ConfigLocation): string[] {
  const xdg = env['XDG_CONFIG_HOME'] ?? '';
  const user = xdg === '' ? join(home, '.config') : xdg;
  const roots = [
    join(user, 'containers/certs.d'),
    join(user, 'docker/certs.d'),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ];
  // A host that is `..` would lead out of the directory.
  if (/^\.+$/.test(url.hostname)) return [];
  const names = new Set([registryOfHost(url.host), `${url.hostname}:${portOf(url)}`]);
  return roots.flatMap((root) => [...names].map((name) => join(root, name)));
}

interface FoundCertificates {
  readonly ca: readonly Buffer[];
  readonly client: Pick<TlsSettings, 'cert' | 'key'>;
}

function readDirectories(directories: readonly string[]): FoundCertificates {
  const ca: Buffer[] = [];
  let client: Pick<TlsSettings, 'cert' | 'key'> = {};
  for (const directory of directories) {
    const names = list(directory);
    for (const name of names) {
      if (name.endsWith('.crt')) ca.push(readPem(join(directory, name)));
      if (!name.endsWith('.cert') || client.cert !== undefined) continue;
      const key = name.replace(/cert$/, 'key');
      if (!names.includes(key)) {
        throw invalid(join(directory, name), `there is no ${key} beside it`);
      }
      client = { cert: readPem(join(directory, name)), key: readPem(join(directory, key)) };
    }
  }
  return { ca, client };
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).slice(0, MAX_FILES).sort();
  } catch {
    // Not there, or not for us: Docker's directories are often readable for root alone.
    return [];
  }
}

function readPem(path: string): Buffer {
  try {
    if (statSync(path).size <= MAX_BYTES) return readFileSync(path);
  } catch (error) {
    throw invalid(path, `it cannot be read (${error instanceof Error ? error.message : 'unknown error'})`, error);
  }
  throw invalid(path, `it has more than ${MAX_BYTES} bytes`);
}

function invalid(path: string, why: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError(
    'REGISTRY_CONFIG_INVALID',
    `the certificate file ${escapeForTerminal(path)} cannot be used: ${escapeForTerminal(why)}`,
    { hint: 'Correct or remove it, or what registries.json says of it.', cause, details: { file: path } },
  );
}
