import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { boxwright, boxwrightOk } from './support/boxwright.ts';
import { eventually, Leftovers, processesMentioning } from './support/leftovers.ts';
import { makeScene, missingRun } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

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
      onStart: (child) => void signalWhenAsleep(child, signal),
    });
    expect(result.signal ?? result.code).toBe(exitCode);
    expect(await leftovers.find()).toEqual([]);
  });

  it('after SIGKILL during a RUN: its processes and mounts end with it, the next command clears the rest', async () => {
    const scene = await makeScene({ Dockerfile: SLEEPER });
    const leftovers = new Leftovers(scene.home);
    const result = await boxwright(scene.home, ['build', '--network=none', '--progress=plain', scene.context], {
      timeoutMs: 60_000,
      onStart: (child) => void killTreeWhenAsleep(child),
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

/** Sends the signal once the RUN has said that it sleeps. */
async function signalWhenAsleep(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (await asleep(child)) child.kill(signal);
}

/** Kills the program itself, and the launcher that may stand before it, at once. */
async function killTreeWhenAsleep(child: ChildProcess): Promise<void> {
  if (!(await asleep(child)) || child.pid === undefined) return;
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
  const command = (pid: string): string => readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  const launched = children.filter((pid) => pid !== '' && /\bboxwright\b|main\.js/.test(command(pid)));
  process.kill(child.pid, 'SIGKILL');
  for (const pid of launched) process.kill(Number(pid), 'SIGKILL');
}

function asleep(child: ChildProcess): Promise<boolean> {
  return new Promise((fulfil) => {
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      // The instruction is shown when it starts; the word alone on its line is its output.
      if (/(?:^|\s)e2e-is-asleep\s*$/m.test(text)) fulfil(true);
    });
    child.once('close', () => fulfil(false));
  });
}
