import { isJsonObject, type JsonObject } from '../../documents/json.ts';
import { JsonSyntaxError, parseJson } from '../../documents/json-parser.ts';
import { documentLimits } from '../../documents/limits.ts';
import type { Scope } from '../auth/authenticator.ts';
import type { HttpResponse } from '../transport/http.ts';
import { looksLikeHtml, signalOf } from './answers.ts';
import { invalidAnswer, type RepositoryContext } from './context.ts';
import { readWhole } from './read-whole.ts';
import type { RequestOptions } from './repository.ts';

/** Bounds of lists (threats R3). */
const limits = {
  /** Bytes of one page. */
  pageBytes: 32 * 1024 * 1024,
  pages: 20_000,
  /** Pages in a row that bring nothing. */
  emptyPages: 16,
} as const;

/** One page of a list. */
export interface Page {
  readonly json: JsonObject;
  readonly bytes: Buffer;
  readonly response: HttpResponse;
}

/** What to list. */
export interface ListRequest extends RequestOptions {
  /** Path and query of the first page. */
  readonly target: string;
  readonly accept: string;
  readonly scopes: readonly Scope[];
  /** Statuses that are answers; pages end at any other than 200. */
  readonly expect: readonly number[];
  readonly what: string;
}

/**
 * Pages of a list, by the `Link` headers of distribution-spec "Listing tags". They stay at this registry and on this
 * path: of a Link that leads elsewhere only the query is taken, since registries behind proxies give addresses of their
 * inside. A Link that was followed before ends in an error, and so do too many pages.
 *
 * @param count how many new names a page brought
 * @throws BoxwrightError REGISTRY_ANSWER_INVALID
 */
export async function* pagesOf(
  context: RepositoryContext,
  request: ListRequest,
  count: (page: Page) => number,
): AsyncGenerator<Page, void, undefined> {
  const { name } = context;
  const followed = new Set<string>([request.target]);
  let target = request.target;
  for (let pages = 1, empty = 0; ; pages++) {
    const page = await readPage(context, request, target);
    if (page === undefined) return;
    yield page;
    empty = count(page) > 0 ? 0 : empty + 1;
    const next = nextTarget(page.response, request.target);
    if (next === undefined) return;
    if (followed.has(next)) throw invalidAnswer(name, request.what, 'its pages lead round in circles');
    if (pages >= limits.pages || empty >= limits.emptyPages)
      throw invalidAnswer(name, request.what, 'its pages do not end');
    followed.add(next);
    target = next;
  }
}

async function readPage(context: RepositoryContext, request: ListRequest, target: string): Promise<Page | undefined> {
  const { name } = context;
  const { scopes, what, expect, accept } = request;
  const { response, bytes } = await readWhole(
    context,
    { method: 'GET', target, scopes, headers: { accept }, expect, what, ...signalOf(request) },
    limits.pageBytes,
  );
  if (response.status !== 200) return undefined;
  if (looksLikeHtml(response, bytes)) throw invalidAnswer(name, what, 'the answer is an HTML page, not JSON');
  try {
    const json = parseJson(bytes, { duplicateKeys: 'refuse', maxDepth: documentLimits.jsonDepth });
    if (isJsonObject(json)) return { json, bytes, response };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw invalidAnswer(name, what, `the answer is not valid JSON: ${error.message}`, error);
  }
  throw invalidAnswer(name, what, 'the answer is not a JSON object');
}

/** Path and query of the next page, undefined at the end. */
function nextTarget(response: HttpResponse, first: string): string | undefined {
  const link = nextLink(response.headers('link'));
  const url = link === undefined ? null : URL.parse(link, response.url.href);
  if (url === null) return undefined;
  const path = first.split('?', 1)[0] ?? first;
  return `${path}${url.search}`;
}

/**
 * The target of `rel="next"` among Link headers: RFC 8288 section 3. Commas may stand inside `<...>` and inside quotes.
 */
export function nextLink(headers: readonly string[]): string | undefined {
  for (const header of headers) {
    // Bounded: the pattern cannot backtrack beyond one link, and no header is longer than node allows.
    for (const [, target = '', parameters = ''] of header.matchAll(
      /<([^>]*)>((?:\s*;\s*[^\s=;,"]+\s*(?:=\s*(?:"[^"]*"|[^\s;,"]*))?)*)/g,
    )) {
      const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))/i.exec(parameters);
      const relations = (rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/);
      if (relations.includes('next')) return target;
    }
  }
  return undefined;
}
