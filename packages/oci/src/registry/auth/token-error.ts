import { isJsonObject, type JsonValue } from '../../documents/json.ts';
import { parseJson } from '../../documents/json-parser.ts';
import type { HttpResponse } from '../transport/http.ts';

/** As much of an error's body is read (threats R3). */
const MAX_ERROR_BODY = 64 * 1024;

/**
 * What a token service says about a failure: `details` (distribution), `error_description` or `error` (OAuth2),
 * `errors[].message` (registries that are their own token service). Empty when it says nothing that can be shown.
 */
export async function errorWords(answer: HttpResponse): Promise<string> {
  let json: JsonValue;
  try {
    json = parseJson(await answer.bytes(MAX_ERROR_BODY), { duplicateKeys: 'last', maxDepth: 16 });
  } catch {
    // No JSON, too much of it, or cut off: the status says enough.
    await answer.discard().catch(() => undefined);
    return '';
  }
  if (!isJsonObject(json)) return '';
  const errors = json.get('errors');
  const first: JsonValue | undefined = Array.isArray(errors) ? errors[0] : undefined;
  const nested = isJsonObject(first) ? [first.get('message'), first.get('code')] : [];
  const said = [json.get('details'), json.get('error_description'), json.get('message'), json.get('error'), ...nested];
  return said.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}
