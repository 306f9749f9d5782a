import { expect, it } from 'vitest';
import { Interruption } from './interruption.ts';

function interruptionAt(): { clock: { now: number }; exits: number[]; interruption: Interruption } {
  const clock = { now: 0 };
  const exits: number[] = [];
  return {
    clock,
    exits,
    interruption: new Interruption(
      (code) => exits.push(code),
      () => clock.now,
    ),
  };
}

it('aborts at the first signal and exits at the second', () => {
  const { clock, exits, interruption } = interruptionAt();
  interruption.receive('SIGTERM');
  expect(interruption.signal.reason).toMatchObject({ code: 'INTERRUPTED', signal: 'SIGTERM', exitCode: 143 });
  expect(exits).toEqual([]);
  clock.now = 501;
  interruption.receive('SIGINT');
  expect(exits).toEqual([130]);
  expect(interruption.signal.reason).toMatchObject({ signal: 'SIGTERM' });
});

it('hands the second one to who wants it, and takes each that comes twice for one', () => {
  const { clock, exits, interruption } = interruptionAt();
  const seconds: number[] = [];
  interruption.onSecond(({ exitCode }) => seconds.push(exitCode));
  for (const now of [0, 1, 500, 1000, 1001, 1500]) {
    clock.now = now;
    interruption.receive('SIGINT');
  }
  expect([seconds, exits]).toEqual([[130], []]);
  clock.now = 1501;
  interruption.receive('SIGHUP');
  expect([seconds, exits]).toEqual([[130], [129]]);
});

it('exits at the second one again when it is wanted no more', () => {
  const { clock, exits, interruption } = interruptionAt();
  const seconds: unknown[] = [];
  interruption.onSecond((error) => seconds.push(error))[Symbol.dispose]();
  interruption.receive('SIGINT');
  clock.now = 1000;
  interruption.receive('SIGINT');
  expect([seconds, exits]).toEqual([[], [130]]);
});
