import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressKind, addressKind, isLoopbackHost, mayName, parseAddress } from './address-kind.ts';

describe('addressKind', () => {
  it.each<[string, AddressKind | undefined]>([
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['2606:4700::1111', 'public'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['::1', 'loopback'],
    ['[::1]', 'loopback'],
    ['::', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['fd00:ec2::254', 'link-local'],
    ['100.100.100.200', 'link-local'],
    ['224.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['ff02::1', 'reserved'],
    // IPv4 in the clothes of IPv6
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'link-local'],
    ['::ffff:8.8.8.8', 'public'],
    ['::10.0.0.1', 'private'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['localhost', undefined],
    ['1.2.3', undefined],
    ['1.2.3.256', undefined],
    ['1:2:3', undefined],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['12345::', undefined],
    ['', undefined],
  ])('%s is %s', (text, kind) => {
    expect(addressKind(text)).toBe(kind);
  });

  it('reads every IPv6 address as the URL parser writes it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
        const text = groups.map((group) => group.toString(16)).join(':');
        const written = new URL(`http://[${text}]/`).hostname;
        const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
        expect(parseAddress(text)).toEqual(bytes);
        expect(parseAddress(written)).toEqual(bytes);
      }),
    );
  });
});

it('isLoopbackHost knows the names of this machine', () => {
  for (const name of ['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', '127.0.0.1', '[::1]']) {
    expect(isLoopbackHost(name), name).toBe(true);
  }
  for (const name of ['localhost.example.com', 'notlocalhost', '128.0.0.1', 'localhost5']) {
    expect(isLoopbackHost(name), name).toBe(false);
  }
});

it('mayName lets nobody name what is nearer to us than itself', () => {
  const kinds: readonly AddressKind[] = ['public', 'private', 'loopback', 'link-local', 'reserved'];
  const allowed = Object.fromEntries(kinds.map((namer) => [namer, kinds.filter((named) => mayName(namer, named))]));
  expect(allowed).toEqual({
    public: ['public'],
    private: ['public', 'private'],
    loopback: ['public', 'private', 'loopback'],
    'link-local': ['public', 'link-local'],
    reserved: ['public'],
  });
});
