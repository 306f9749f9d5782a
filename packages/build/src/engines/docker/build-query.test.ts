import { describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../engine/engine.ts';
import { buildQuery } from './build-query.ts';

function cacheFrom(...sources: readonly string[]): unknown {
  // The cast: no more is looked at.
  const request = {
    tags: [],
    buildArgs: new Map(),
    labels: new Map(),
    noCache: false,
    network: 'default',
    extraHosts: [],
  } as unknown as BuildRequest;
  return buildQuery(request, { env: {}, home: '/', cacheFrom: sources }, 'Dockerfile')['cachefrom'];
}

describe('buildQuery', () => {
  it('gives the API names of caches, whichever way they are written', () => {
    expect(cacheFrom('r.example/a:1', 'type=registry,ref=r.example/b:2')).toBe('["r.example/a:1","r.example/b:2"]');
    expect(cacheFrom()).toBeUndefined();
  });

  it.each(['type=local,src=/cache', 'type=registry', 'type=gha,ref=x'])('refuses %s', (source) => {
    expect(() => cacheFrom(source)).toThrowError(expect.objectContaining({ code: 'ENGINE_UNSUPPORTED' }));
  });
});
