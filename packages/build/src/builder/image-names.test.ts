import { describe, expect, it } from 'vitest';
import { formatOutlierVersionName } from './engine-version.ts';
import { parseImageTag, splitRepositoryPath } from './image-names.ts';

describe('parseImageTag', () => {
  it.each<[string, string, string | undefined]>([
    ['prefecthq/prefect:latest', 'prefecthq/prefect', 'latest'],
    ['hostname.io:5050/folder/subfolder:latest', 'hostname.io:5050/folder/subfolder', 'latest'],
    ['hostname.io:5050/folder/subfolder', 'hostname.io:5050/folder/subfolder', undefined],
    ['simplename', 'simplename', undefined],
    ['simplename:v1.2', 'simplename', 'v1.2'],
    ['simplename@sha256:abc', 'simplename', 'sha256:abc'],
    ['repo/img:1.0@sha256:x', 'repo/img:1.0', 'sha256:x'],
    ['host:5000/img@sha256:x', 'host:5000/img', 'sha256:x'],
    ['localhost:5000', 'localhost', '5000'],
    ['img:', 'img', ''],
    // Prefect cuts this at the colon.
    ['a/b:c/d', 'a/b:c/d', undefined],
    ['', '', undefined],
  ])('%s', (name, image, tag) => {
    expect(parseImageTag(name)).toEqual([image, tag]);
  });

  it.each(['a:b:c', 'x/a:b:c', 'img@x@y'])('refuses %s', (name) => {
    expect(() => parseImageTag(name)).toThrowError(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });
});

describe('splitRepositoryPath', () => {
  it.each<[string, string | undefined, string]>([
    ['myimage', undefined, 'myimage'],
    ['organization/myimage', 'organization', 'myimage'],
    ['registry/organization/myimage', 'registry/organization', 'myimage'],
    ['a/b/c/d', 'a/b', 'c/d'],
    ['registry.io:5000/myimage:1', 'registry.io:5000', 'myimage:1'],
    ['', undefined, ''],
    ['/a', '', 'a'],
  ])('%s', (path, namespace, repository) => {
    expect(splitRepositoryPath(path)).toEqual([namespace, repository]);
  });
});

describe('formatOutlierVersionName', () => {
  it.each([
    ['20.10.0-ce', '20.10.0'],
    ['20.10.0-ee', '20.10.0'],
    ['20.10.0', '20.10.0'],
    ['20.10.0-cee', '20.10.0e'],
    ['-c-cee', '-ce'],
    ['1-CE', '1-CE'],
  ])('%s', (version, expected) => {
    expect(formatOutlierVersionName(version)).toBe(expected);
  });
});
