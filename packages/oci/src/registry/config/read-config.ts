import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BoxwrightError, closestMatch, escapeForTerminal } from '@boxwright/errors';
import { isJsonObject, type JsonObject, type JsonValue } from '../../documents/json.ts';
import { JsonSyntaxError, parseJson } from '../../documents/json-parser.ts';
import { defaultSettings, emptyConfig, type RegistriesConfig, type RegistrySettings } from './registries-config.ts';
import { registryOfHost } from './registry-host.ts';

/** Where {@link readRegistriesConfig} looks. */
export interface ConfigLocation {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

const MAX_BYTES = 1024 * 1024;

/** The file that is read: $BOXWRIGHT_REGISTRIES, else `boxwright/registries.json` in the user's configuration directory. */
export function registriesConfigPath({ env, home }: ConfigLocation): string {
  const named = env['BOXWRIGHT_REGISTRIES'] ?? '';
  if (named !== '') return resolve(named);
  const xdg = env['XDG_CONFIG_HOME'] ?? '';
  return join(xdg === '' ? join(home, '.config') : xdg, 'boxwright', 'registries.json');
}

/**
 * Reads `registries.json`. Without one, nothing is set; one that $BOXWRIGHT_REGISTRIES names must be there.
 *
 * @throws BoxwrightError REGISTRY_CONFIG_INVALID, with file and key
 */
export function readRegistriesConfig(location: ConfigLocation): RegistriesConfig {
  const path = registriesConfigPath(location);
  let bytes: Buffer;
  try {
    if (statSync(path).size > MAX_BYTES) throw invalid(path, '', `it has more than ${MAX_BYTES} bytes`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof BoxwrightError) throw error;
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (missing && (location.env['BOXWRIGHT_REGISTRIES'] ?? '') === '') return emptyConfig;
    throw invalid(path, '', `it cannot be read (${error instanceof Error ? error.message : 'unknown error'})`, error);
  }
  return parseRegistriesConfig(bytes, path);
}

/**
 * Checks the text of a configuration file. Paths in it count from its directory.
 *
 * @throws BoxwrightError REGISTRY_CONFIG_INVALID, with file and key
 */
export function parseRegistriesConfig(bytes: Uint8Array, path: string): RegistriesConfig {
  let json: JsonValue;
  try {
    json = parseJson(bytes, { duplicateKeys: 'refuse', maxDepth: 10 });
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw invalid(path, '', `it is not JSON: ${error.message}`, error);
  }
  const top = new Section(path, '', json);
  top.refuseUnknown(['registries']);
  const registries = new Map<string, RegistrySettings>();
  const all = top.section('registries');
  for (const host of all?.names() ?? []) {
    if (!isHost(host)) all?.fail(host, 'is not a registry host: write HOST or HOST:PORT');
    const section = all?.section(host);
    if (section !== undefined) registries.set(registryOfHost(host), settings(section, dirname(path)));
  }
  return { registries, allInsecure: false };
}

const settingNames: readonly (keyof RegistrySettings)[] = [
  'mirrors',
  'insecure',
  'plainHttp',
  'privateRedirects',
  'ca',
  'cert',
  'key',
  'concurrency',
  'requestsPerSecond',
];

function settings(section: Section, directory: string): RegistrySettings {
  section.refuseUnknown(settingNames);
  const file = (name: string): string | undefined => {
    const value = section.string(name);
    return value === undefined ? undefined : resolve(directory, value);
  };
  const result: RegistrySettings = {
    mirrors: section.strings('mirrors'),
    insecure: section.boolean('insecure'),
    plainHttp: section.boolean('plainHttp'),
    privateRedirects: section.boolean('privateRedirects'),
    ca: file('ca'),
    cert: file('cert'),
    key: file('key'),
    concurrency: section.number('concurrency', 1, 100, true) ?? defaultSettings.concurrency,
    requestsPerSecond: section.number('requestsPerSecond', 0.01, 10_000, false),
  };
  for (const mirror of result.mirrors) {
    if (!isMirror(mirror)) section.fail('mirrors', `has "${mirror.slice(0, 200)}": write HOST[:PORT][/PATH]`);
  }
  if ((result.cert === undefined) !== (result.key === undefined)) {
    section.fail(result.cert === undefined ? 'cert' : 'key', 'is missing: a client certificate is "cert" and "key"');
  }
  return result;
}

/** One object of the file, for errors that name the place. */
class Section {
  private readonly path: string;
  private readonly at: string;
  private readonly json: JsonObject;

  constructor(path: string, at: string, json: JsonValue) {
    if (!isJsonObject(json)) throw invalid(path, at, 'is not an object');
    this.path = path;
    this.at = at;
    this.json = json;
  }

  names(): readonly string[] {
    return [...this.json.keys()];
  }

  fail(name: string, why: string, hint?: string): never {
    const key = /^\w+$/.test(name) ? `.${name}` : `["${name.slice(0, 100)}"]`;
    throw invalid(this.path, `${this.at}${key}`.replace(/^\./, ''), why, undefined, hint);
  }

  refuseUnknown(known: readonly string[]): void {
    for (const name of this.json.keys()) {
      if (known.includes(name)) continue;
      const near = closestMatch(name, known);
      const hint = near === undefined ? `Known are ${known.join(', ')}.` : `Did you mean ${near}?`;
      this.fail(name, 'is not known', hint);
    }
  }

  section(name: string): Section | undefined {
    const value = this.json.get(name);
    const key = /^\w+$/.test(name) ? `.${name}` : `["${name}"]`;
    return value === undefined ? undefined : new Section(this.path, `${this.at}${key}`.replace(/^\./, ''), value);
  }

  boolean(name: string): boolean {
    const value = this.json.get(name) ?? false;
    return typeof value === 'boolean' ? value : this.fail(name, 'is neither true nor false');
  }

  string(name: string): string | undefined {
    const value = this.json.get(name);
    if (value === undefined) return undefined;
    return typeof value === 'string' && value !== '' ? value : this.fail(name, 'is not a text');
  }

  strings(name: string): readonly string[] {
    const value = this.json.get(name) ?? [];
    if (typeof value !== 'object' || !Array.isArray(value)) return this.fail(name, 'is not a list');
    return value.map((item: JsonValue) =>
      typeof item === 'string' ? item : this.fail(name, 'is not a list of texts'),
    );
  }

  number(name: string, min: number, max: number, whole: boolean): number | undefined {
    const value = this.json.get(name);
    if (value === undefined) return undefined;
    const fits = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
    return fits ? value : this.fail(name, `is not a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
  }
}

function isHost(text: string): boolean {
  const url = URL.parse(`https://${text}`);
  return url !== null && url.pathname === '/' && !/[/?#@\s\\]|:$/.test(text) && url.hostname !== '';
}

function isMirror(text: string): boolean {
  const bare = text.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  const path = slash < 0 ? '' : bare.slice(slash + 1);
  return isHost(slash < 0 ? bare : bare.slice(0, slash)) && /^(?:[a-z0-9._-]+(?:\/[a-z0-9._-]+)*\/?)?$/.test(path);
}

function invalid(path: string, at: string, why: string, cause?: unknown, hint?: string): BoxwrightError {
  const subject = at === '' ? '' : `${escapeForTerminal(at)} `;
  return new BoxwrightError(
    'REGISTRY_CONFIG_INVALID',
    `the registry configuration ${escapeForTerminal(path)} is not valid: ${subject}${escapeForTerminal(why)}`,
    { hint: hint ?? 'Correct the file.', cause, details: { file: path, key: at } },
  );
}
