import { expect, it } from 'vitest';
import { parseExplained, parseRegistryScope } from './registry-scope.ts';

it.each([
  ['docker.io', 'docker.io', ''],
  ['https://index.docker.io/v1/', 'docker.io', ''],
  ['docker.io/team', 'docker.io', 'team'],
  ['GHCR.io', 'ghcr.io', ''],
  ['https://example.com:5000/', 'example.com:5000', ''],
  ['example.com/v2/', 'example.com', ''],
  ['localhost', 'localhost', ''],
  ['[::1]:5000', '[::1]:5000', ''],
  ['quay.example/team/app', 'quay.example', 'team/app'],
])('one logs in to %s', (text, registry, path) => {
  expect(parseRegistryScope(text)).toEqual({ registry, path });
});

it.each([
  ['alice', 'USAGE'],
  ['alice/app', 'USAGE'],
  ['', 'USAGE'],
  ['example.com/app:1', 'USAGE'],
  ['exa mple.com', 'REFERENCE_INVALID'],
  ['example.com/UPPER', 'REFERENCE_INVALID'],
  ['user:password@example.com', 'REFERENCE_INVALID'],
])('one cannot log in to %j', (text, code) => {
  expect(() => parseRegistryScope(text)).toThrow(expect.objectContaining({ code }));
});

it.each([
  ['alpine', 'docker.io', 'library/alpine'],
  ['alpine:3.20', 'docker.io', 'library/alpine'],
  ['docker://ghcr.io/me/app:1', 'ghcr.io', 'me/app'],
  ['ghcr.io', 'ghcr.io', ''],
  ['localhost:5000', 'localhost:5000', ''],
  ['localhost:5000/app', 'localhost:5000', 'app'],
])('%s is explained as it is used', (text, registry, path) => {
  expect(parseExplained(text)).toEqual({ registry, path });
});
