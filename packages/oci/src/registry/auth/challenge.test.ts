import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from './challenge.ts';

const parse = (...values: string[]) =>
  parseChallenges(values).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('parseChallenges', () => {
  it.each<[string, unknown]>([
    [
      'Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull,push"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.example.com/token',
            service: 'registry.example.com',
            scope: 'repository:a/b:pull,push',
          },
        ],
      ],
    ],
    ['BASIC Realm = "a \\"quoted\\" \\\\ name"', [['basic', { realm: 'a "quoted" \\ name' }]]],
    [
      'Basic realm="one", Bearer realm="https://t/", service=plain',
      [
        ['basic', { realm: 'one' }],
        ['bearer', { realm: 'https://t/', service: 'plain' }],
      ],
    ],
    [
      'Negotiate YIIabc/+==, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'Negotiate, Basic realm="x"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    // Quotes forgotten, as some registries do.
    ['Bearer realm=https://t/token,service=s', [['bearer', { realm: 'https://t/token', service: 's' }]]],
    // The first realm counts.
    ['Bearer realm="https://good/",realm="https://evil/"', [['bearer', { realm: 'https://good/' }]]],
    ['Bearer realm="never ends', [['bearer', {}]]],
    ['', []],
    ['"', []],
  ])('%s', (value, expected) => {
    expect(parse(value)).toEqual(expected);
  });

  it('reads several headers in order', () => {
    expect(parse('Basic realm="a"', 'Bearer realm="b"').map(([scheme]) => scheme)).toEqual(['basic', 'bearer']);
  });

  it('reads back what it is given, whatever is quoted', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(text, text, (realm, service) => {
        const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
        const value = `Bearer realm=${quoted(realm)}, service=${quoted(service)}, Basic realm=${quoted(realm)}`;
        expect(parse(value)).toEqual([
          ['bearer', { realm, service }],
          ['basic', { realm }],
        ]);
      }),
    );
  });

  it('ends quickly on hostile text', () => {
    const started = performance.now();
    for (const piece of ['Bearer ', 'a=', 'a="', 'a,', '"\\', 'Basic a=b,', '='.repeat(50), ' ,\t']) {
      expect(parseChallenges([piece.repeat(100_000)]).length).toBeLessThanOrEqual(16);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
