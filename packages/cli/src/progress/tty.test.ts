import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CapturedOutput } from '../testing/captured-output.ts';
import { recordedBuild, recordedStart } from '../testing/recorded-build.ts';
import { TtyRenderer } from './tty.ts';

beforeEach(() => vi.useFakeTimers({ now: recordedStart }));
afterEach(() => vi.useRealTimers());

it('redraws in place, leaves the final picture and what failed', () => {
  const output = new CapturedOutput({ columns: 60, rows: 12 });
  const renderer = new TtyRenderer(output, { colors: false });
  for (const event of recordedBuild({ fails: true })) {
    if ('time' in event) vi.setSystemTime(event.time);
    renderer.onEvent(event);
    vi.advanceTimersByTime(100);
  }
  const frames = output.text;
  // Frames never reach the last line, or the terminal would scroll.
  for (const written of frames.split('\u001b[?2026l')) expect(written.split('\n').length).toBeLessThanOrEqual(12);
  output.text = '';
  renderer.finish();
  expect(vi.getTimerCount()).toBe(0);
  const final = stripVTControlCharacters(output.text).split('\n');
  expect(final[0]).toMatch(/^\[\+\] Building \d+\.\ds \(3\/4\)$/);
  expect(final).toContain(' => ERROR [2/3] RUN make test                          12.5s');
  expect(final.slice(-5)).toEqual(['12.30 ok 测试 passed', '12.30 100%', '12.50 partial', '------', '']);
});

it('never passes on what a RUN wants to do to the terminal', () => {
  const output = new CapturedOutput({ columns: 80, rows: 24 });
  const renderer = new TtyRenderer(output, { colors: true });
  for (const event of recordedBuild({ fails: true })) {
    renderer.onEvent(event);
    vi.advanceTimersByTime(100);
  }
  renderer.finish();
  expect(output.text).not.toMatch(/\u001b\]|\u0007|\u202e|\u001b\[32m/);
});
