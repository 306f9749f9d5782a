import { describe, expect, it } from 'vitest';
import { parseImageLocation } from './image-location.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseImageLocation', () => {
  it.each([
    ['alpine:3.20', { transport: 'store', reference: 'alpine:3.20' }],
    ['oci/image:1', { transport: 'store', reference: 'oci/image:1' }],
    ['localhost:5000/a', { transport: 'store', reference: 'localhost:5000/a' }],
    ['oci:dir', { transport: 'oci', path: 'dir' }],
    ['oci:/a/b:1.0', { transport: 'oci', path: '/a/b', name: '1.0' }],
    ['oci:dir:docker.io/library/a:1', { transport: 'oci', path: 'dir', name: 'docker.io/library/a:1' }],
    [`oci:dir@${digest}`, { transport: 'oci', path: 'dir', digest }],
    [`oci:dir:@${digest}`, { transport: 'oci', path: 'dir', digest }],
    ['oci-archive:x.tar:', { transport: 'oci-archive', path: 'x.tar' }],
    ['docker-archive:x.tar:a:1', { transport: 'docker-archive', path: 'x.tar', name: 'a:1' }],
    ['docker://example.com/a:1', { transport: 'docker', reference: 'example.com/a:1' }],
    ['docker-daemon:a:1', { transport: 'docker-daemon', reference: 'a:1' }],
    ['docker:latest', { transport: 'store', reference: 'docker:latest' }],
  ])('%s', (text, expected) => {
    expect(parseImageLocation(text)).toEqual(expected);
  });

  it.each(['', 'oci:', 'oci::tag', 'docker://', 'dcoker://a', 'https://example.com/a', 'oci:a\0b'])(
    'refuses %j',
    (text) => {
      expect(() => parseImageLocation(text)).toThrowError(expect.objectContaining({ code: 'LOCATION_INVALID' }));
    },
  );
});
