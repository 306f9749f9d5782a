import { repositoryKey } from '../repository-name.ts';
import type { Scope } from './authenticator.ts';

const actionOrder = ['pull', 'push', 'delete'] as const;

/** The scope as token services read it, `repository:library/debian:pull,push`: distribution, token scope documentation. */
export function scopeText({ repository, actions }: Scope): string {
  return `repository:${repository.path}:${actionOrder.filter((action) => actions.includes(action)).join(',')}`;
}

/** Scopes with one entry per repository, sorted: equal sets have equal texts. */
export function mergeScopes(scopes: readonly Scope[]): readonly Scope[] {
  const merged = new Map<string, Scope>();
  for (const scope of scopes) {
    const key = repositoryKey(scope.repository);
    const actions = [...new Set([...(merged.get(key)?.actions ?? []), ...scope.actions])];
    merged.set(key, { repository: scope.repository, actions });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, scope]) => scope);
}

/**
 * True when a token for `held` may do what `needed` asks. Nothing needed is covered only by a token that was asked for
 * without scopes: what the catalogue wants is not what a repository's token gives.
 */
export function coversScopes(held: readonly Scope[], needed: readonly Scope[]): boolean {
  if (needed.length === 0) return held.length === 0;
  return needed.every((need) =>
    held.some(
      (have) =>
        repositoryKey(have.repository) === repositoryKey(need.repository) &&
        need.actions.every((action) => have.actions.includes(action)),
    ),
  );
}

/** Longest scope that is taken over from a challenge. */
const MAX_CHALLENGE_SCOPE = 4096;

/**
 * What to ask the token service for: our own scopes, then what the challenge names on top (`registry:catalog:*`; the
 * name that a registry knows a repository by behind a prefix).
 */
export function scopeTexts(scopes: readonly Scope[], challengeScope: string | undefined): readonly string[] {
  const own = mergeScopes(scopes);
  const texts = own.map(scopeText);
  if (challengeScope === undefined || challengeScope.length > MAX_CHALLENGE_SCOPE) return texts;
  const extra = challengeScope.split(' ').filter((text) => /^[\x21-\x7e]+$/.test(text));
  return [...texts, ...extra.filter((text) => !isCovered(text, own))].filter(unique);
}

function isCovered(text: string, own: readonly Scope[]): boolean {
  const match = /^repository:(.+):([a-z,*]+)$/.exec(text);
  const [, path, actions] = match ?? [];
  return own.some(
    (scope) =>
      scope.repository.path === path &&
      (actions ?? '').split(',').every((action) => (scope.actions as readonly string[]).includes(action)),
  );
}

function unique<T>(item: T, index: number, all: readonly T[]): boolean {
  return all.indexOf(item) === index;
}
