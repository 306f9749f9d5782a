import { expect, it } from 'vitest';
import { homeOf } from './home.ts';
import { hostsFile } from './root/network-files.ts';

it('finds the home of the first entry with the id', () => {
  const passwd =
    'broken\nroot:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/toor:/bin/sh\nn:x:5:5::\ne:x:6:6:::/bin/sh\nz:x:07:7::/z:';
  expect([0, 5, 6, 7, 9].map((uid) => homeOf(passwd, uid))).toEqual(['/root', undefined, undefined, '/z', undefined]);
});

it('writes hosts as BuildKit does', () => {
  expect(hostsFile('box', [{ host: 'a', address: '::2' }])).toBe(
    '127.0.0.1\tlocalhost box\n::1\tlocalhost ip6-localhost ip6-loopback\n::2\ta\n',
  );
});
