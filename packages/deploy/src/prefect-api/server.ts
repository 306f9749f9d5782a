import { BoxwrightError } from '@boxwright/errors';

/** A Prefect server and who asks it. */
export interface PrefectServer {
  /** With the path to the API: `http://127.0.0.1:4200/api`. */
  readonly url: string;
  /** Prefect Cloud's key. */
  readonly apiKey?: string | undefined;
  /** `user:password` of a server of one's own. Counts more than the key. */
  readonly authString?: string | undefined;
}

/** Says which form of requests and answers is meant; a server refuses what is too old for it. */
const apiVersion = '0.8.4';

/** The server that Prefect's own variables name: `PREFECT_API_URL`, `PREFECT_API_KEY`, `PREFECT_API_AUTH_STRING`. */
export function prefectServerFrom(env: Readonly<Record<string, string | undefined>>): PrefectServer | undefined {
  // Files of secrets end with a line feed, which is no part of them.
  const [url, apiKey, authString] = ['URL', 'KEY', 'AUTH_STRING'].map(
    (name) => env[`PREFECT_API_${name}`]?.trim() || undefined,
  );
  return url === undefined ? undefined : { url, apiKey, authString };
}

/**
 * Headers of each request to a Prefect server.
 *
 * @throws BoxwrightError `PREFECT_API_DENIED` for a key that no header can hold: whoever tried to send it would show it in the message
 */
export function prefectHeaders({ apiKey, authString }: PrefectServer): Record<string, string> {
  const headers: Record<string, string> = { 'X-PREFECT-API-VERSION': apiVersion };
  if (authString !== undefined) headers['Authorization'] = `Basic ${Buffer.from(authString).toString('base64')}`;
  else if (apiKey !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(apiKey)) {
      throw new BoxwrightError(
        'PREFECT_API_DENIED',
        'the key for the Prefect server has blanks or characters that no key has',
        {
          hint: 'Look at PREFECT_API_KEY.',
        },
      );
    }
    headers['Authorization'] = `Bearer ${apiKey}`;
  }
  return headers;
}

/** The URL of an API with one slash at its end. @throws BoxwrightError PREFECT_API_URL_INVALID */
export function parseApiUrl(url: string): URL {
  const parsed = URL.parse(url.replace(/\/*$/, '/'));
  const isUsable = parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.search === '' && parsed.hash === '';
  if (isUsable && parsed.username === '' && parsed.password === '') return parsed;
  throw new BoxwrightError('PREFECT_API_URL_INVALID', 'the URL of the Prefect API is not usable', {
    hint: 'It looks like http://127.0.0.1:4200/api; a login belongs into PREFECT_API_KEY or PREFECT_API_AUTH_STRING.',
  });
}
