import { describe, expect, it } from 'vitest';
import type { Scope } from './authenticator.ts';
import { coversScopes, mergeScopes, scopeTexts } from './scopes.ts';

const scope = (path: string, ...actions: Scope['actions']): Scope => ({
  repository: { registry: 'example.com', path },
  actions,
});

describe('scopes', () => {
  it('are one per repository, in an order of their own', () => {
    const merged = mergeScopes([scope('b', 'push'), scope('a', 'pull'), scope('b', 'pull', 'push')]);
    expect(scopeTexts(merged, undefined)).toEqual(['repository:a:pull', 'repository:b:pull,push']);
  });

  it('take over from the challenge only what they do not say', () => {
    const own = [scope('a/b', 'pull', 'push')];
    expect(scopeTexts(own, 'repository:a/b:pull')).toEqual(['repository:a/b:pull,push']);
    expect(scopeTexts(own, 'repository:x/a/b:pull repository:a/b:delete')).toEqual([
      'repository:a/b:pull,push',
      'repository:x/a/b:pull',
      'repository:a/b:delete',
    ]);
    expect(scopeTexts([], 'registry:catalog:*')).toEqual(['registry:catalog:*']);
    expect(scopeTexts([], 'x'.repeat(5000))).toEqual([]);
    expect(scopeTexts([], 'bad\nscope')).toEqual([]);
  });

  it.each<[boolean, Scope[], Scope[]]>([
    [true, [scope('a', 'pull', 'push')], [scope('a', 'pull')]],
    [false, [scope('a', 'pull')], [scope('a', 'pull', 'push')]],
    [false, [scope('a', 'pull')], [scope('b', 'pull')]],
    [true, [scope('a', 'pull'), scope('b', 'pull')], [scope('b', 'pull')]],
    [true, [], []],
    [false, [scope('a', 'pull')], []],
  ])('cover others: %s', (expected, held, needed) => {
    expect(coversScopes(held, needed)).toBe(expected);
  });
});
