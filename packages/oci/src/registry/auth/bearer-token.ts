import { BoxwrightError } from '@boxwright/errors';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from '../../documents/json.ts';
import { parseJson } from '../../documents/json-parser.ts';
import { Secret } from './secret.ts';

/** A token as a token service gave it. Times are milliseconds of `performance.now()`. */
export interface BearerToken {
  readonly token: Secret;
  /** From when on a new one is asked for: four fifths of its life. */
  readonly refreshAt: number;
  readonly expiresAt: number;
  /** A refresh token that takes the place of the identity token that was used. */
  readonly refreshToken: Secret | undefined;
}

/** Most that a token service may answer (threats R3), bytes. */
export const MAX_TOKEN_ANSWER: number = 1024 * 1024;
/** A token is sent as a header: servers take 8 KiB to 1 MiB in all. */
const MAX_TOKEN = 256 * 1024;
/** Life of a token that comes without `expires_in`, seconds: distribution, token authentication specification. */
const DEFAULT_LIFE = 60;
/** Longer lives are of no use to one run. */
const MAX_LIFE = 24 * 3600;
const REFRESH_AT = 0.8;

/** What is known about an answer beside its body. */
export interface TokenAnswerFacts {
  /** Whom to name in errors. */
  readonly service: string;
  /** When the token was asked for, `performance.now()`. */
  readonly askedAt: number;
  /** The answer's Date header: the token service's clock. */
  readonly date: string | undefined;
}

/**
 * Reads a token service's answer: `token` or `access_token`, `expires_in`, `issued_at`, `refresh_token` (distribution,
 * token authentication and OAuth2 token authentication).
 *
 * @throws BoxwrightError REGISTRY_ANSWER_INVALID
 */
export function parseTokenAnswer(bytes: Uint8Array, facts: TokenAnswerFacts): BearerToken {
  const json = parseObject(bytes, facts.service);
  const token = stringAt(json, 'token') ?? stringAt(json, 'access_token');
  if (token === undefined) throw invalid(facts.service, 'it holds no token');
  // The token goes into a header: RFC 6750 section 2.1 allows less than this.
  if (!/^[\x21-\x7e]+$/.test(token) || token.length > MAX_TOKEN) throw invalid(facts.service, 'its token is not one');
  const life = lifeOf(json, facts.date) * 1000;
  const refreshToken = stringAt(json, 'refresh_token');
  return {
    token: new Secret(token),
    refreshAt: facts.askedAt + life * REFRESH_AT,
    expiresAt: facts.askedAt + life,
    refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
  };
}

/** Seconds that are left of the token's life. Both times are the service's: our clock may be wrong. */
function lifeOf(json: JsonObject, date: string | undefined): number {
  const stated = numberAt(json, 'expires_in');
  const life = stated !== undefined && stated > 0 ? Math.min(stated, MAX_LIFE) : DEFAULT_LIFE;
  const age = (Date.parse(date ?? '') - Date.parse(stringAt(json, 'issued_at') ?? '')) / 1000;
  // A token that a service hands out again has lived a part of its life already; an impossible age says nothing.
  return age > 0 && age < life ? life - age : life;
}

function parseObject(bytes: Uint8Array, service: string): JsonObject {
  let json: JsonValue;
  try {
    json = parseJson(bytes, { duplicateKeys: 'last', maxDepth: 16 });
  } catch {
    // The parser's words are left out: what stands at the offset may be a secret.
    throw invalid(
      service,
      /^\s*</.test(Buffer.from(bytes).toString('latin1', 0, 64)) ? 'it is HTML' : 'it is not JSON',
    );
  }
  return isJsonObject(json) ? json : invalidAnswer(service, 'it is not a JSON object');
}

function stringAt(json: JsonObject, name: string): string | undefined {
  const value = json.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Some services write numbers as strings. */
function numberAt(json: JsonObject, name: string): number | undefined {
  const value = json.get(name);
  if (typeof value === 'number') return value;
  const text = value instanceof JsonNumber ? value.text : value;
  return typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function invalidAnswer(service: string, why: string): never {
  throw invalid(service, why);
}

function invalid(service: string, why: string): BoxwrightError {
  return new BoxwrightError(
    'REGISTRY_ANSWER_INVALID',
    `the answer of the token service ${service} cannot be used: ${why}`,
    {
      hint: 'Something else may be answering in its place: a proxy or a login page. Check the network and the name of the registry.',
      details: { service },
    },
  );
}
