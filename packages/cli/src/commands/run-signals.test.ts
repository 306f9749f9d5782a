import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { InterruptedError } from '../interrupted.ts';
import { Interruption } from '../interruption.ts';
import { testContext } from '../testing/test-context.ts';
import { passSignalsOn } from './run-signals.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function scene() {
  const interruption = new Interruption(
    () => undefined,
    () => Date.now(),
  );
  const context = testContext({
    signal: interruption.signal,
    onSecondSignal: (handle) => interruption.onSecond(handle),
  });
  const sent: string[] = [];
  return { interruption, context, sent, command: { send: (signal: string) => void sent.push(signal) } };
}

it('sends the first signal to the command, says so when that takes time, and kills after the grace', () => {
  const { interruption, context, sent, command } = scene();
  using passed = passSignalsOn(context);
  passed.onStart(command);
  interruption.receive('SIGTERM');
  expect(sent).toEqual(['SIGTERM']);
  vi.advanceTimersByTime(999);
  expect(context.stderr.text).toBe('');
  vi.advanceTimersByTime(9000);
  expect(context.stderr.text).toMatch(/^note: SIGTERM was passed on .* 10 s .*\n$/);
  expect(passed.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(passed.signal.reason).toMatchObject({ signal: 'SIGTERM', exitCode: 143 });
  expect(sent).toEqual(['SIGTERM']);
});

it('kills at the second signal', () => {
  const { interruption, context, sent, command } = scene();
  using passed = passSignalsOn(context);
  passed.onStart(command);
  interruption.receive('SIGINT');
  vi.advanceTimersByTime(600);
  interruption.receive('SIGINT');
  expect(passed.signal.aborted).toBe(true);
  expect(sent).toEqual(['SIGINT']);
});

it('kills at once what has not been started', () => {
  const { interruption, context } = scene();
  using passed = passSignalsOn(context);
  interruption.receive('SIGINT');
  expect(passed.signal.aborted).toBe(true);
  using late = passSignalsOn(context);
  expect(late.signal.reason).toBeInstanceOf(InterruptedError);
});

it('forgets everything when the command has ended', () => {
  const { interruption, context, sent, command } = scene();
  const passed = passSignalsOn(context);
  passed.onStart(command);
  interruption.receive('SIGTERM');
  passed[Symbol.dispose]();
  vi.advanceTimersByTime(20_000);
  expect(passed.signal.aborted).toBe(false);
  expect(context.stderr.text).toBe('');
  expect(vi.getTimerCount()).toBe(0);
  expect(sent).toEqual(['SIGTERM']);
});
