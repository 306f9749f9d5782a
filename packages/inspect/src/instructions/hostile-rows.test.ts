import { describe, expect, it } from 'vitest';
import { readHistory } from './read-history.ts';

describe('hostile rows', () => {
  it('__proto__ is a name like any other', () => {
    expect(
      readHistory([{ createdBy: 'ARG __proto__=1' }, { createdBy: 'RUN |1 __proto__=1 /bin/sh -c x # buildkit' }]).map(
        (row) => row.instruction,
      ),
    ).toMatchObject([
      { pairs: [{ name: '__proto__', value: '1' }] },
      { buildArguments: [{ name: '__proto__', value: '1' }], command: 'x' },
    ]);
  });

  it.each<[string, string]>([
    ['a count without arguments', '|99999 '],
    ['arguments that repeat', `|99999 ${'A= '.repeat(100_000)}`],
    ['blanks', ' '.repeat(1_000_000)],
    ['a list that never ends', `CMD ["${'\\x41'.repeat(50_000)}`],
    ['an ENV without names', `ENV ${'x '.repeat(500_000)}`],
    ['an ENV with many names', `ENV ${'x= '.repeat(100_000)}`],
    ['flags', `COPY ${'--x '.repeat(20_000)}`],
    ['quotes', `ENV "${'\\"'.repeat(500_000)}`],
    ['#(nop) after much', `${'x '.repeat(500_000)}#(nop) CMD`],
    ['brackets', `CMD ${'['.repeat(1_000_000)}`],
  ])('takes %s in linear time', (_name, createdBy) => {
    const started = performance.now();
    for (const entry of [
      { createdBy },
      { createdBy, author: 'kaniko' },
      { createdBy: `/bin/sh -c #(nop) ${createdBy}` },
    ]) {
      expect(
        readHistory([{ createdBy: `ARG A=${'A= '.repeat(5000)}` }, entry], {
          config: { Env: ['x=1'], Labels: new Map(), Cmd: [], Shell: [] },
        }),
      ).toHaveLength(2);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
