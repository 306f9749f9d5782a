import { describe, expect, it } from 'vitest';
import { parsePortSpec } from './ports.ts';
import { parseBoolean, parseDuration, parseRamSize, parseUnsigned } from './quantities.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['5s', 5e9],
    ['1h30m', 5400e9],
    ['1.5s', 1.5e9],
    ['.5s', 5e8],
    ['5.s', 5e9],
    ['-1.5h', -5400e9],
    ['+3ms', 3e6],
    ['10us', 1e4],
    ['10µs', 1e4],
    ['10μs', 1e4],
    ['7ns', 7],
    ['1h.5m', 3630e9],
    ['0.3333333333333333333h', 1_199_999_999_999],
    ['8760h', 31_536_000e9],
  ])('%s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(['', '5', '.', 's', '.s', '1d', '1 s', '1s ', '$x', '--1s', '2562048h', '9'.repeat(40)])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('parseRamSize', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['32b', 32],
    ['1k', 1024],
    ['1KB', 1024],
    ['1KiB', 1024],
    ['1.5m', 1_572_864],
    ['64 MiB', 67_108_864],
    ['2g', 2_147_483_648],
  ])('%s', (text, expected) => {
    expect(parseRamSize(text)).toBe(expected);
  });

  it.each(['', 'x', '1x', '-1', '1e3', '9999999999p', '1kk'])('refuses %j', (text) => {
    expect(parseRamSize(text)).toBeUndefined();
  });
});

describe('parseUnsigned and parseBoolean', () => {
  it('reads what Go reads', () => {
    expect(parseUnsigned('0755', 8)).toBe(0o755);
    expect(parseUnsigned('4294967295', 10)).toBe(4_294_967_295);
    expect([
      parseUnsigned('4294967296', 10),
      parseUnsigned('8', 8),
      parseUnsigned('', 10),
      parseUnsigned('+1', 10),
    ]).toEqual([undefined, undefined, undefined, undefined]);
    expect(['1', 't', 'TRUE', '0', 'False', 'yes', 'tRUE'].map(parseBoolean)).toEqual([
      true,
      true,
      true,
      false,
      false,
      undefined,
      undefined,
    ]);
  });
});

describe('parsePortSpec', () => {
  it.each([
    ['80', ['80/tcp']],
    ['080', ['80/tcp']],
    ['80/', ['80/tcp']],
    ['8000-8002/UDP', ['8000/udp', '8001/udp', '8002/udp']],
    ['53/sctp', ['53/sctp']],
    ['8080:80', ['80/tcp']],
    ['10-12:20-22', ['20/tcp', '21/tcp', '22/tcp']],
    ['10-12:20', ['20/tcp']],
    ['1.2.3.4:8080:80', ['80/tcp']],
    ['[::1]:8080:80/tcp', ['80/tcp']],
    ['::1:8080:80', ['80/tcp']],
    [':80', ['80/tcp']],
  ])('%s', (spec, ports) => {
    expect(parsePortSpec(spec)).toEqual({ ports });
  });

  it.each(['', 'x', '80/foo', '70000', '/tcp', '82-80', '1-2-3', 'a:80', '1.2.3:1:80', '10-13:20-22', '-1', '1e3'])(
    'refuses %j',
    (spec) => {
      expect(parsePortSpec(spec)).toHaveProperty('reason');
    },
  );
});
