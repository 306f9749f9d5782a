import { BoxwrightError } from '@boxwright/errors';
import { prefectApi } from '../prefect-api/request.ts';
import type { PrefectServer } from '../prefect-api/server.ts';
import { isPlainObject, type PlainObject, type PlainValue } from '../yaml/index.ts';
import type { BlockDocument, VariableSource } from './variable-source.ts';

/**
 * Variables and blocks of a Prefect server.
 *
 * @throws BoxwrightError `PREFECT_API_URL_INVALID` for a URL that is none; when asked: `PREFECT_API_UNREACHABLE`, `PREFECT_API_DENIED`, `PREFECT_API_FAILED`.
 */
export function prefectSource(server: PrefectServer): VariableSource {
  const api = prefectApi(server);
  const get = async (path: string): Promise<PlainObject | undefined> => {
    const { status, value } = await api.request({ method: 'GET', path });
    if (status === 404) return undefined;
    if (isPlainObject(value)) return value;
    throw new BoxwrightError('PREFECT_API_FAILED', `${api.host} answered something else than a JSON object`);
  };
  return {
    description: `the Prefect server at ${api.host}`,
    variable: async (name) => member(await get(`variables/name/${encodeURIComponent(name)}`), 'value'),
    block: async (type, name) => {
      const path = `block_types/slug/${encodeURIComponent(type)}/block_documents/name/${encodeURIComponent(name)}`;
      return readDocument(await get(`${path}?include_secrets=true`));
    },
    names: () => ({ variables: [], blocks: [] }),
  };
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
