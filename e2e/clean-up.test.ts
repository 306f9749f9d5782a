import { describe, expect, it } from 'vitest';
import { boxwright, boxwrightOk } from './support/boxwright.ts';
import { eventually, Leftovers, processesMentioning } from './support/leftovers.ts';
import { makeScene, missingRun } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';
import { killTree, whenAsleep } from './support/when-asleep.ts';

removeTemporaryDirectoriesAfterEach();

const SLEEPER = 'FROM e2e/busybox:1\nRUN echo one > /one\nRUN echo e2e-is-asleep && sleep 1000\n';

describe.skipIf(missingRun() !== undefined)('nothing is left behind', () => {
  it('after a build that succeeds', async () => {
    const scene = await makeScene({ Dockerfile: 'FROM e2e/busybox:1\nRUN echo x > /x\nCOPY Dockerfile /d\n' });
    const leftovers = new Leftovers(scene.home);
    await boxwrightOk(scene.home, ['build', '--network=none', '-t', 'good:1', scene.context]);
    expect(await leftovers.find()).toEqual([]);
  });

  it('after a build that fails, with stages that run at the same time', async () => {
    const scene = await makeScene({
      Dockerfile: [
        'FROM e2e/busybox:1 AS slow',
        'RUN sleep 1000',
        'FROM e2e/busybox:1 AS fails',
        'RUN sleep 1; exit 3',
        'FROM scratch',
        'COPY --from=slow / /a',
        'COPY --from=fails / /b',
        '',
      ].join('\n'),
    });
    const leftovers = new Leftovers(scene.home);
    const result = await boxwright(scene.home, ['build', '--network=none', scene.context], { timeoutMs: 60_000 });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/\[RUN_FAILED\]/);
    expect(await leftovers.find()).toEqual([]);
  });

  it.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('after %s during a RUN', async (signal, exitCode) => {
    const scene = await makeScene({ Dockerfile: SLEEPER });
    const leftovers = new Leftovers(scene.home);
    const result = await boxwright(scene.home, ['build', '--network=none', '--progress=plain', scene.context], {
      timeoutMs: 60_000,
      onStart: (child) => whenAsleep(child, () => child.kill(signal)),
    });
    expect(result.signal ?? result.code).toBe(exitCode);
    expect(await leftovers.find()).toEqual([]);
  });

  it('after SIGKILL during a RUN: its processes and mounts end with it, the next command clears the rest', async () => {
    const scene = await makeScene({ Dockerfile: SLEEPER });
    const leftovers = new Leftovers(scene.home);
    const result = await boxwright(scene.home, ['build', '--network=none', '--progress=plain', scene.context], {
      timeoutMs: 60_000,
      onStart: (child) => whenAsleep(child, () => killTree(child)),
    });
    expect(result.signal ?? result.code).not.toBe(0);
    expect(await eventually(() => sleepers() === 0)).toBe(true);
    expect(await eventually(() => processesMentioning(scene.home).length === 0)).toBe(true);
    await boxwrightOk(
      scene.home,
      ['build', '--network=none', '--target=quick', '-t', 'later:1', '-f', '-', scene.context],
      {
        input: 'FROM e2e/busybox:1 AS quick\nRUN echo one > /one\n',
      },
    );
    expect(await leftovers.find()).toEqual([]);
  });
});

function sleepers(): number {
  return processesMentioning('sleep 1000').length;
}
