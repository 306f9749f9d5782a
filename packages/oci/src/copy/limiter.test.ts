import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limiter } from './limiter.ts';

describe('Limiter', () => {
  it('never runs more than it may, in order, and goes on after failures', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        async (limit, fails) => {
          const limiter = new Limiter(limit);
          const started: number[] = [];
          let running = 0;
          let most = 0;
          const results = await Promise.allSettled(
            fails.map((isFailing, at) =>
              limiter.run(async () => {
                started.push(at);
                most = Math.max(most, ++running);
                await new Promise((resolve) => setImmediate(resolve));
                running--;
                if (isFailing) throw new Error('failed');
                return at;
              }),
            ),
          );
          expect(most).toBeLessThanOrEqual(limit);
          expect(most).toBe(Math.min(limit, fails.length));
          expect(started).toEqual(fails.map((_, at) => at));
          expect(results.map(({ status }) => status)).toEqual(
            fails.map((isFailing) => (isFailing ? 'rejected' : 'fulfilled')),
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});
