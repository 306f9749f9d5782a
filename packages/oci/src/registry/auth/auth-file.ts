import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { isJsonObject, type JsonObject, type JsonValue } from '../../documents/json.ts';
import { JsonSyntaxError, parseJson } from '../../documents/json-parser.ts';
import type { Credential } from './credential.ts';
import { Secret } from './secret.ts';

const MAX_DEPTH = 64;

/** The parts of a config.json or auth.json that are about credentials; keys as written. */
export interface AuthFile {
  /** Path, or the name of the variable it is from: for messages. */
  readonly name: string;
  readonly auths: JsonObject;
  readonly credsStore: string | undefined;
  readonly credHelpers: ReadonlyMap<string, string>;
}

/** An object of a file as parsed, with nothing checked below it. @throws BoxwrightError CREDENTIALS_INVALID */
export function parseAuthDocument(bytes: Uint8Array, name: string): JsonObject {
  // Docker reads an empty file as an empty object.
  if (Buffer.from(bytes).toString('latin1').trim() === '') return new Map();
  let json: JsonValue;
  try {
    json = parseJson(bytes, { duplicateKeys: 'last', maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw invalidAuthFile(name, `it is not JSON: ${error.message}`);
  }
  return isJsonObject(json) ? json : invalid(name, 'it is not a JSON object');
}

/** Checks what is needed to choose an entry; entries themselves are checked when they are used. Throws CREDENTIALS_INVALID. */
export function parseAuthFile(bytes: Uint8Array, name: string): AuthFile {
  const json = parseAuthDocument(bytes, name);
  const store = json.get('credsStore') ?? undefined;
  if (store !== undefined && typeof store !== 'string') return invalid(name, 'credsStore is not a string');
  const helpers = new Map<string, string>();
  for (const [key, value] of objectAt(json, 'credHelpers', name)) {
    if (typeof value !== 'string') return invalid(name, `credHelpers["${shorten(key)}"] is not a string`);
    // An empty name switches the general helper off for this registry, as in Docker.
    helpers.set(key, value);
  }
  return { name, auths: objectAt(json, 'auths', name), credsStore: store || undefined, credHelpers: helpers };
}

/** The credential of one entry of `auths`; undefined for an empty one, which Docker writes beside a helper's. Throws CREDENTIALS_INVALID. */
export function credentialOf(file: AuthFile, key: string): Credential | undefined {
  const entry = file.auths.get(key) ?? undefined;
  if (entry === undefined) return undefined;
  const at = `auths["${shorten(key)}"]`;
  if (!isJsonObject(entry)) return invalid(file.name, `${at} is not an object`);
  const text = (name: string): string => {
    const value = entry.get(name) ?? '';
    return typeof value === 'string' ? value : invalid(file.name, `${at}.${name} is not a string`);
  };
  const identityToken = text('identitytoken');
  if (identityToken !== '') return { kind: 'identity-token', identityToken: new Secret(identityToken) };
  const registryToken = text('registrytoken');
  if (registryToken !== '') return { kind: 'registry-token', registryToken: new Secret(registryToken) };
  const auth = text('auth');
  if (auth !== '') return decodeAuth(auth) ?? invalid(file.name, `${at}.auth is not the base64 form of USER:PASSWORD`);
  const [username, password] = [text('username'), text('password')];
  return username === '' || password === ''
    ? undefined
    : { kind: 'password', username, password: new Secret(password) };
}

function decodeAuth(auth: string): Credential | undefined {
  const trimmed = auth.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)) return undefined;
  const decoded = Buffer.from(trimmed, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon <= 0) return undefined;
  // Ancient Dockers padded with zero bytes.
  const password = decoded.slice(colon + 1).replace(/\0+$/, '');
  return { kind: 'password', username: decoded.slice(0, colon), password: new Secret(password) };
}

function objectAt(json: JsonObject, name: string, file: string): JsonObject {
  const value = json.get(name) ?? undefined;
  if (value === undefined) return new Map();
  return isJsonObject(value) ? value : invalid(file, `${name} is not an object`);
}

function invalid(name: string, why: string): never {
  throw invalidAuthFile(name, why);
}

/** CREDENTIALS_INVALID for a file; `why` must not quote its content. */
export function invalidAuthFile(name: string, why: string): BoxwrightError {
  return new BoxwrightError(
    'CREDENTIALS_INVALID',
    `the credentials in ${escapeForTerminal(name)} cannot be used: ${why}`,
    {
      hint: 'Mend the file, or remove the entry and log in again with boxwright login.',
      details: { file: name },
    },
  );
}

function shorten(key: string): string {
  return escapeForTerminal(key.length > 200 ? `${key.slice(0, 200)}...` : key);
}
