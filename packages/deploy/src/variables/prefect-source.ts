import { BoxwrightError } from '@boxwright/errors';
import { isPlainObject, type PlainObject, type PlainValue, toPlainValue } from '../yaml/index.ts';
import type { Environment } from './environment-source.ts';
import { getJson } from './get-json.ts';
import type { BlockDocument, VariableSource } from './variable-source.ts';

/** A Prefect server and who asks it. */
export interface PrefectServer {
  /** With the path to the API: `http://127.0.0.1:4200/api`. */
  readonly url: string;
  /** Prefect Cloud's key. */
  readonly apiKey?: string | undefined;
  /** `user:password` of a server of one's own. Counts more than the key. */
  readonly authString?: string | undefined;
}

/** Says which form of answers is wanted; it has not changed for what is read here. */
const apiVersion = '0.8.4';

/** The server that Prefect's own variables name: `PREFECT_API_URL`, `PREFECT_API_KEY`, `PREFECT_API_AUTH_STRING`. */
export function prefectServerFrom(env: Environment): PrefectServer | undefined {
  const { PREFECT_API_URL: url, PREFECT_API_KEY: apiKey, PREFECT_API_AUTH_STRING: authString } = env;
  return url ? { url, apiKey: apiKey || undefined, authString: authString || undefined } : undefined;
}

/** Headers of each request to a Prefect server. */
export function prefectHeaders(server: PrefectServer): Record<string, string> {
  const headers: Record<string, string> = { 'X-PREFECT-API-VERSION': apiVersion };
  if (server.authString !== undefined) {
    headers['Authorization'] = `Basic ${Buffer.from(server.authString).toString('base64')}`;
  } else if (server.apiKey !== undefined) headers['Authorization'] = `Bearer ${server.apiKey}`;
  return headers;
}

/**
 * Variables and blocks of a Prefect server.
 *
 * @throws BoxwrightError `PREFECT_API_URL_INVALID` for a URL that is none; when asked: `PREFECT_API_UNREACHABLE`, `PREFECT_API_DENIED`, `PREFECT_API_FAILED`.
 */
export function prefectSource(server: PrefectServer): VariableSource {
  const base = parseBase(server.url);
  const get = async (path: string): Promise<PlainObject | undefined> => {
    const answer = await getJson(new URL(base.href + path), prefectHeaders(server));
    if (answer === undefined) return undefined;
    const value = toPlainValue(answer);
    if (isPlainObject(value)) return value;
    throw new BoxwrightError('PREFECT_API_FAILED', `${base.host} answered something else than a JSON object`);
  };
  return {
    description: `the Prefect server at ${base.host}`,
    variable: async (name) => member(await get(`variables/name/${encodeURIComponent(name)}`), 'value'),
    block: async (type, name) => {
      const path = `block_types/slug/${encodeURIComponent(type)}/block_documents/name/${encodeURIComponent(name)}`;
      return readDocument(await get(`${path}?include_secrets=true`));
    },
    names: () => ({ variables: [], blocks: [] }),
  };
}

function parseBase(url: string): URL {
  const parsed = URL.parse(url.endsWith('/') ? url : `${url}/`);
  const usable = parsed && /^https?:$/.test(parsed.protocol) && parsed.search === '' && parsed.hash === '';
  if (usable && parsed.username === '' && parsed.password === '') return parsed;
  throw new BoxwrightError('PREFECT_API_URL_INVALID', 'the URL of the Prefect API is not usable', {
    hint: 'It looks like http://127.0.0.1:4200/api; a login belongs into PREFECT_API_KEY or PREFECT_API_AUTH_STRING.',
  });
}

function member(object: PlainObject | undefined, key: string): PlainValue | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

function readDocument(document: PlainObject | undefined): BlockDocument | undefined {
  const data = member(document, 'data');
  if (!isPlainObject(data)) return undefined;
  const schema = member(document, 'block_schema');
  const fields = isPlainObject(schema) ? member(schema, 'fields') : undefined;
  const secret = isPlainObject(fields) ? member(fields, 'secret_fields') : undefined;
  const secretFields = Array.isArray(secret) ? secret.filter((name) => typeof name === 'string') : [];
  return { data, secretFields };
}
