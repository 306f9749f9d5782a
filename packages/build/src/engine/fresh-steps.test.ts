import { describe, expect, it } from 'vitest';
import { planText } from '../plan/testing/plan-text.ts';
import { freshSteps } from './fresh-steps.ts';

describe('freshSteps', () => {
  const dockerfile = [
    'FROM base:1 AS a',
    'RUN one',
    'FROM a AS b',
    'RUN two',
    'FROM base:1 AS c',
    'RUN three',
    'COPY --from=b /x /',
    'RUN four',
    'FROM base:1 AS d',
    'RUN five',
    'RUN --mount=from=a,target=/a six',
    'RUN seven',
    'FROM base:1 AS e',
    'COPY --from=c / /c',
    'COPY --from=d / /d',
  ].join('\n');

  const of = async (noCache: boolean | readonly string[]) => freshSteps(await planText(dockerfile, { noCache }));

  it('are none, or all, when the cache is used, or not', async () => {
    expect((await of(false)).flatMap(({ executed, reread }) => [...executed, ...reread])).not.toContain(true);
    expect((await of(true)).flatMap(({ executed, reread }) => [...executed, ...reread])).not.toContain(false);
  });

  it('are those of a stage and of what is made from it', async () => {
    expect(await of(['a'])).toEqual([
      { executed: [true], reread: [true], result: true },
      { executed: [true], reread: [true], result: true },
      { executed: [false, false, false], reread: [false, true, false], result: false },
      { executed: [false, true, true], reread: [false, true, true], result: true },
      { executed: [false, false], reread: [false, true], result: false },
    ]);
    expect((await of(['e'])).map(({ result }) => result)).toEqual([false, false, false, false, true]);
  });
});
