import { escapeForTerminal } from '@boxwright/errors';
import { isTag } from '../../names/reference.ts';
import type { Registries } from '../session/registries.ts';
import { invalidAnswer, newContext, pullScope, type RepositoryContext, repositoryPath } from './context.ts';
import { type ListRequest, type Page, pagesOf } from './pages.ts';
import type { ListOptions } from './repository.ts';

const maxNames = 1_000_000;
const defaultPageSize = 1000;

/** See {@link Repository.tags}. */
export async function* listTags(
  context: RepositoryContext,
  options: ListOptions = {},
): AsyncGenerator<string, void, undefined> {
  const request: ListRequest = {
    ...options,
    target: repositoryPath(context.name, `tags/list?${pageQuery(options)}`),
    accept: 'application/json',
    scopes: pullScope(context.name),
    expect: [200],
    what: 'list of tags',
  };
  yield* namesOf(context, request, 'tags', isTag);
}

/**
 * Repositories of a registry, where it tells: `/v2/_catalog` is no part of the specification, and many refuse it.
 *
 * @throws BoxwrightError REGISTRY_NOT_FOUND, REGISTRY_UNAUTHORIZED, REGISTRY_DENIED, REGISTRY_ANSWER_INVALID
 */
export async function* listRepositories(
  registries: Registries,
  registry: string,
  options: ListOptions = {},
): AsyncGenerator<string, void, undefined> {
  const context = newContext(registries, { registry, path: '' });
  const request: ListRequest = {
    ...options,
    target: `/v2/_catalog?${pageQuery(options)}`,
    accept: 'application/json',
    // The scope of the catalog is no repository: the registry names it in its challenge.
    scopes: [],
    expect: [200],
    what: 'catalog',
  };
  yield* namesOf(context, request, 'repositories', isRepositoryPath);
}

function pageQuery({ last, pageSize = defaultPageSize }: ListOptions): string {
  return new URLSearchParams({ n: String(pageSize), ...(last === undefined ? {} : { last }) }).toString();
}

/** Names of all pages. What one page repeats of another (tags may be made meanwhile) is left out. */
async function* namesOf(
  context: RepositoryContext,
  request: ListRequest,
  member: string,
  isName: (text: string) => boolean,
): AsyncGenerator<string, void, undefined> {
  const seen = new Set<string>();
  let fresh = 0;
  for await (const page of pagesOf(context, request, () => fresh)) {
    fresh = 0;
    for (const value of itemsOf(context, request, page, member)) {
      if (typeof value !== 'string' || !isName(value)) {
        const shown = typeof value === 'string' ? `"${escapeForTerminal(value.slice(0, 160))}"` : 'something else';
        throw invalidAnswer(context.name, request.what, `${shown} is among its names`);
      }
      if (seen.has(value)) continue;
      if (seen.size >= maxNames) throw invalidAnswer(context.name, request.what, `it has more than ${maxNames} names`);
      seen.add(value);
      fresh += 1;
      yield value;
    }
  }
}

/** Empty repositories have `null` instead of an array at some registries. */
function itemsOf(context: RepositoryContext, request: ListRequest, { json }: Page, member: string): readonly unknown[] {
  const items = json.get(member) ?? [];
  if (Array.isArray(items)) return items;
  throw invalidAnswer(context.name, request.what, `"${member}" is not an array`);
}

function isRepositoryPath(text: string): boolean {
  return (
    text.length <= 255 &&
    /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/.test(text)
  );
}
