import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { isPlainObject, type PlainObject, type PlainValue, toPlainValue } from '../yaml/index.ts';

/** An answer as it came, its body read. */
export interface RawAnswer {
  readonly status: number;
  readonly location: string | null;
  /** Seconds that the server asks to wait; NaN for none. */
  readonly retryAfter: number;
  /** Undefined: longer than anything that a server has to say. */
  readonly text: string | undefined;
}

/** What a Prefect server answered: a status below 300, or 404 for something that it has not. */
export interface ApiAnswer {
  readonly status: number;
  /** Null where there is no body. */
  readonly value: PlainValue;
}

/** What was asked, for messages. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  /** The API's. */
  readonly url: URL;
  /** Never shown. */
  readonly secrets: readonly string[];
}

/** Longer texts of answers are cut in messages. */
const maxDetail = 1000;
const apiHint = 'Is the URL that of the API, with /api at its end?';

/**
 * Checks an answer.
 *
 * @throws BoxwrightError PREFECT_API_DENIED for a refused login, PREFECT_API_FAILED for all else that is neither a success nor a 404 that
 * answers a GET
 */
export function readAnswer(asked: Asked, raw: RawAnswer): ApiAnswer {
  const { status } = raw;
  const value = parse(raw);
  if (status >= 200 && status < 300) {
    if (value !== undefined) return { status, value };
    // What could not be read may hold secrets: none of it is shown.
    throw failed(asked, 'no JSON, or too much of it', apiHint, { status });
  }
  const says = detailOf(value, asked.secrets);
  const shown = says === '' ? `${status}` : `${status}: ${says}`;
  if (status === 401 || status === 403) {
    throw new BoxwrightError(
      'PREFECT_API_DENIED',
      `the Prefect server at ${asked.url.host} refuses the login (${shown})`,
      {
        hint: 'Set PREFECT_API_KEY, or PREFECT_API_AUTH_STRING for a server of your own.',
        details: { status, detail: says },
      },
    );
  }
  // Of a path that it does not know, and of a site that is none, a 404 says nothing about deployments.
  const isApi = says !== '' && says !== 'Not Found';
  if (status === 404 && isApi && asked.method === 'GET') return { status, value: value ?? null };
  throw failed(asked, shown, hintFor(raw, asked.url, isApi), { status, detail: says });
}

function parse({ status, text }: RawAnswer): PlainValue | undefined {
  if (text === '' || status === 204) return null;
  try {
    return text === undefined ? undefined : toPlainValue(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * What Prefect says of a failure. What it was sent is in there too, with values that may be secrets: of faults in fields only their
 * places and reasons are taken.
 */
function detailOf(value: PlainValue | undefined, secrets: readonly string[]): string {
  if (!isPlainObject(value)) return '';
  const { detail, exception_detail: faults, exception_message: message } = value;
  const texts = [message, detail, faults].flatMap((part) => (Array.isArray(part) ? part.map(faultText) : part));
  let text = texts.filter((part) => typeof part === 'string').join('; ');
  for (const secret of secrets) text = text.replaceAll(secret, '***');
  return escapeForTerminal(text.length > maxDetail ? `${text.slice(0, maxDetail)}…` : text);
}

/** A fault of a field: `body.tags.0: Input should be a valid string`. */
function faultText(fault: PlainValue): PlainValue {
  if (!isPlainObject(fault)) return fault;
  const { loc, msg } = fault;
  const place = Array.isArray(loc) ? loc.filter((part) => part !== 'body').join('.') : '';
  return `${place}${place === '' ? '' : ': '}${typeof msg === 'string' ? msg : 'not valid'}`;
}

function hintFor({ status, location }: RawAnswer, url: URL, isApi: boolean): string {
  if (status >= 300 && status < 400) {
    const to = URL.parse(location ?? '', url.href);
    const where = to === null ? 'elsewhere' : `to ${to.origin}`;
    return `It sends on ${where}, where the login is not sent: write the URL of the API as it is.`;
  }
  if (status === 404) return isApi ? 'Somebody has removed it meanwhile? Try again.' : apiHint;
  if (status === 408 || status === 429 || status >= 500)
    return 'It was asked several times. Look into the log of the server.';
  return 'Mend what it says; job variables are checked by the work pool.';
}

function failed({ method, path, url }: Asked, what: string, hint: string, details: PlainObject): BoxwrightError {
  const message = `${method} ${escapeForTerminal(path)}: the Prefect server at ${url.host} answered ${what}`;
  return new BoxwrightError('PREFECT_API_FAILED', message, { hint, details });
}
