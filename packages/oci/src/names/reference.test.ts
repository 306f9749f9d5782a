import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from './digest.ts';
import {
  canonicalName,
  familiarName,
  parseReference,
  parseReferenceOrId,
  type Reference,
  repositoryName,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts';

const digest = digestOf('x');
const hex64 = digest.slice(7);

describe('parseReference', () => {
  it.each([
    // text, domain, path, tag
    ['alpine', 'docker.io', 'library/alpine', undefined],
    ['alpine:3.20', 'docker.io', 'library/alpine', '3.20'],
    ['docker.io/alpine', 'docker.io', 'library/alpine', undefined],
    ['index.docker.io/library/alpine', 'docker.io', 'library/alpine', undefined],
    ['index.docker.io/alpine', 'docker.io', 'library/alpine', undefined],
    ['prefecthq/prefect:3.6.9-python3.12', 'docker.io', 'prefecthq/prefect', '3.6.9-python3.12'],
    ['ghcr.io/a/b/c:X_y.z-1', 'ghcr.io', 'a/b/c', 'X_y.z-1'],
    ['test:5000/repo', 'test:5000', 'repo', undefined],
    ['test.com:5000', 'docker.io', 'library/test.com', '5000'],
    ['localhost/x', 'localhost', 'x', undefined],
    ['localhost', 'docker.io', 'library/localhost', undefined],
    ['localhost:5000/x:1', 'localhost:5000', 'x', '1'],
    ['192.168.1.1:5000/repo:5050', '192.168.1.1:5000', 'repo', '5050'],
    ['[::1]:5000/repo:tag', '[::1]:5000', 'repo', 'tag'],
    ['[2001:db8:1:2:3:4:5:6]/repo', '[2001:db8:1:2:3:4:5:6]', 'repo', undefined],
    ['Foo/bar', 'Foo', 'bar', undefined],
    ['xn--n3h.com/x:xn--n3h.com', 'xn--n3h.com', 'x', 'xn--n3h.com'],
    ['test_com/foo', 'docker.io', 'test_com/foo', undefined],
    ['docker---rules/dock__er', 'docker.io', 'docker---rules/dock__er', undefined],
    ['d/t', 'docker.io', 'd/t', undefined],
    ['foo/foo_bar.com:8080', 'docker.io', 'foo/foo_bar.com', '8080'],
    [`docker.io/${hex64}`, 'docker.io', `library/${hex64}`, undefined],
    [hex64.slice(1), 'docker.io', `library/${hex64.slice(1)}`, undefined],
    [`a:${'t'.repeat(128)}`, 'docker.io', 'library/a', 't'.repeat(128)],
    [`example.com/${'a'.repeat(255)}`, 'example.com', 'a'.repeat(255), undefined],
  ])('%s', (text, domain, path, tag) => {
    expect(parseReference(text)).toEqual(tag === undefined ? { domain, path } : { domain, path, tag });
    const withBoth = parseReference(`${text}@${digest}`);
    expect(withBoth).toEqual({ ...parseReference(text), digest });
  });

  it.each([
    ['', 'it is empty'],
    [':tag', 'is empty'],
    [`@${digest}`, 'is empty'],
    ['repo:', 'no tag after the colon'],
    ['repo:-x', '"-x" is not a tag'],
    ['repo:a:b', '"a:b" is not a tag'],
    [`repo:${'t'.repeat(129)}`, 'more than 128 characters'],
    ['repo@', '"" is not a digest'],
    [`repo@sha256:${'f'.repeat(34)}`, 'is not a digest'],
    [`repo@md5:${'f'.repeat(64)}`, 'is not a digest'],
    [`repo@${digest}:tag`, 'is not a digest'],
    ['Upper:tag', 'must be lower case'],
    ['docker/Docker', 'must be lower case'],
    ['test:5000/Upper/x:Tag', 'must be lower case'],
    [hex64, 'read as an image ID'],
    ['https://github.com/a/b', 'it is a URL'],
    ['docker///docker', 'is empty'],
    ['docker/', 'is empty'],
    ['-docker/docker', '"-docker" cannot be part'],
    ['docker-/docker', '"docker-" cannot be part'],
    ['____/____', 'cannot be part'],
    ['dock..er/x', 'is not a registry host'],
    ['x/dock..er', 'cannot be part'],
    ['x/dock_.er', 'cannot be part'],
    ['x/dock___er', 'cannot be part'],
    ['aa/asdf$$^/aa', 'cannot be part'],
    ['[fc00::1]', 'cannot be part'],
    ['fc00::1:5000/debian', 'is not a registry host'],
    ['[fe80::1%eth0]:5000/debian', 'is not a registry host'],
    ['[2001:db8:3:4::192.0.2.33]:5000/debian', 'is not a registry host'],
    ['-docker.io/docker/docker', 'is not a registry host'],
    ['host:port/x', 'is not a registry host'],
    ['host:/x', 'is not a registry host'],
    ['al pine', 'cannot be part'],
    ['alpine\n', 'cannot be part'],
    ['alpine:3\n', 'is not a tag'],
    [`example.com/${'a'.repeat(256)}`, 'more than 255'],
    ['a'.repeat(100_000), 'more than 2048'],
    ['../../etc/passwd', 'cannot be part'],
    ['a/../b', 'cannot be part'],
    ['образ', 'cannot be part'],
  ])('refuses %j', (text, why) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({ code: 'REFERENCE_INVALID', message: expect.stringContaining(why) }),
    );
  });

  it.each([
    ['Foo:Tag', 'Write foo:Tag.'],
    ['example.com/A/b@x', 'Write example.com/a/b@x.'],
    ['docker.io/Alpine', 'Write docker.io/alpine.'],
    [hex64, `Write sha256:${hex64} for the ID.`],
    ['https://example.com/a:b', 'Leave out the scheme: example.com/a:b'],
    ['fd00::1:5000/a', 'Put an IPv6 address in brackets: [fd00::1]:5000/name.'],
  ])('hints at the remedy for %s', (text, hint) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ hint }));
  });

  it('escapes what it shows', () => {
    expect(() => parseReference('a\u001b[2Jb')).toThrow(/a\\x1b\[2Jb/);
  });
});

describe('parseReferenceOrId', () => {
  it.each([
    [hex64, digest],
    [digest, digest],
    ['alpine', { domain: 'docker.io', path: 'library/alpine' }],
    [hex64.slice(0, 12), { domain: 'docker.io', path: `library/${hex64.slice(0, 12)}` }],
  ])('%s', (text, expected) => {
    expect(parseReferenceOrId(text)).toEqual(expected);
  });
});

describe('printing', () => {
  it.each([
    // canonical, familiar
    ['docker.io/library/alpine:3', 'alpine:3'],
    ['docker.io/library/foo/bar', 'library/foo/bar'],
    ['docker.io/a/b', 'a/b'],
    ['docker.io/other/library', 'other/library'],
    ['example.com/library/x', 'example.com/library/x'],
    [`docker.io/library/alpine:3@${digest}`, `alpine:3@${digest}`],
    // Dropping docker.io here would change what the name means.
    ['docker.io/localhost/x', 'docker.io/localhost/x'],
    ['docker.io/foo.bar/x', 'docker.io/foo.bar/x'],
    [`docker.io/library/${hex64}`, `docker.io/library/${hex64}`],
  ])('%s is familiarly %s', (canonical, familiar) => {
    const reference = parseReference(canonical);
    expect(canonicalName(reference)).toBe(canonical);
    expect(familiarName(reference)).toBe(familiar);
    expect(parseReference(familiar)).toEqual(reference);
  });

  it('adds, replaces and drops tags and digests', () => {
    const name = parseReference('alpine');
    expect(withDefaultTag(name)).toEqual({ ...name, tag: 'latest' });
    expect(withDefaultTag(parseReference('alpine:3'))).toEqual({ ...name, tag: '3' });
    expect(withDefaultTag({ ...name, digest })).toEqual({ ...name, digest });
    expect(withTag({ ...name, digest }, 'x')).toEqual({ ...name, tag: 'x' });
    expect(withDigest({ ...name, tag: 'x' }, digest)).toEqual({ ...name, digest });
    expect(repositoryName({ ...name, tag: 'x', digest })).toBe('docker.io/library/alpine');
    expect(() => withTag(name, '.x')).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });
});

describe('properties', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}$/);
  const domain = fc.oneof(
    fc.constantFrom('docker.io', 'localhost', '[::1]:5000', 'Foo'),
    fc.stringMatching(/^[a-z0-9]{1,5}\.[a-z]{2,5}(:[0-9]{1,5})?$/),
  );
  const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
  const anyDigest = fc.string().map((text): Digest => digestOf(text));

  it('both printed forms are read back as the same reference', () => {
    fc.assert(
      fc.property(domain, path, fc.option(tag), fc.option(anyDigest), (host, repository, maybeTag, maybeDigest) => {
        const isOfficial = host === 'docker.io' && !repository.includes('/');
        const reference: Reference = {
          domain: host,
          path: isOfficial ? `library/${repository}` : repository,
          ...(maybeTag === null ? {} : { tag: maybeTag }),
          ...(maybeDigest === null ? {} : { digest: maybeDigest }),
        };
        expect(parseReference(canonicalName(reference))).toEqual(reference);
        expect(parseReference(familiarName(reference))).toEqual(reference);
      }),
    );
  });

  it('any text is read or refused with REFERENCE_INVALID, quickly', () => {
    const soup = fc.string({
      unit: fc.constantFrom('a', 'B', '0', '.', '-', '_', ':', '/', '@', '[', ']', '%'),
      maxLength: 2000,
    });
    fc.assert(
      fc.property(soup, (text) => {
        try {
          const reference = parseReference(text);
          expect(parseReference(canonicalName(reference))).toEqual(reference);
        } catch (error) {
          expect(error).toMatchObject({ code: 'REFERENCE_INVALID' });
        }
      }),
    );
  });
});
