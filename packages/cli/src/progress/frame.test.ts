import { displayWidth } from '@boxwright/inspect';
import { describe, expect, it } from 'vitest';
import { recordedBuild, recordedStart } from '../testing/recorded-build.ts';
import { type FrameColors, type FrameOptions, renderFrame } from './frame.ts';
import { Trace } from './trace.ts';

const plain: FrameColors = {
  done: (text) => text,
  failed: (text) => text,
  canceled: (text) => text,
  dim: (text) => text,
};

function frame(seconds: number, options: Partial<FrameOptions> & { fails?: boolean } = {}): string[] {
  const trace = new Trace();
  const now = recordedStart + seconds * 1000;
  for (const event of recordedBuild({ fails: options.fails ?? false })) {
    if (!('time' in event) || event.time <= now) trace.apply(event);
  }
  return renderFrame(trace, {
    width: 50,
    height: 20,
    startedAt: recordedStart,
    colors: plain,
    final: false,
    ...options,
    now,
  });
}

const head = '[+] Building 12.6s (2/4)';
const cached = ' => CACHED [1/3] FROM docker.io/library/base: 0.0s';
const running = ' => [2/3] RUN make test                      12.4s';

describe('renderFrame', () => {
  it('shows the running step with its last output', () => {
    expect(frame(12.6)).toEqual([
      '[+] Building 12.6s (2/4)',
      ' => [internal] load build context             0.1s',
      ' => => transferring context: 12.35kB          0.1s',
      ' => CACHED [1/3] FROM docker.io/library/base: 0.0s',
      ' => [2/3] RUN make test                      12.4s',
      ' => => # 0.123 compiling',
      ' => => # 0.700 sed',
      ' => => # 0.700 evil \\u202ebidi',
      ' => => # 12.30 ok 测试 passed',
      ' => => # 12.30 100%',
    ]);
  });

  it('cuts wide characters at a whole column', () => {
    const lines = frame(13, { width: 30, final: true });
    expect(lines.at(-1)).toBe(' => [3/3] COPY 文件 /应用 0.1s');
    const narrower = frame(13, { width: 29, final: true });
    expect(narrower.at(-1)).toBe(' => [3/3] COPY 文件 /应  0.1s');
    for (const width of [1, 5, 19, 20, 21, 33, 200]) {
      for (const line of frame(12.6, { width })) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  it('says FINISHED only when everything is', () => {
    expect(frame(13, { final: true })[0]).toBe('[+] Building 13.0s (4/4) FINISHED');
    expect(frame(12.6, { final: true })[0]).toBe('[+] Building 12.6s (2/4)');
  });

  it('marks the step that failed', () => {
    expect(frame(13, { fails: true, final: true })).toEqual([
      '[+] Building 13.0s (3/4)',
      ' => [internal] load build context             0.1s',
      ' => => transferring context: 12.35kB          0.1s',
      ' => CACHED [1/3] FROM docker.io/library/base: 0.0s',
      ' => ERROR [2/3] RUN make test                12.5s',
    ]);
  });

  it.each([
    [5, [head, ' => => transferring context: 12.35kB          0.1s', cached, running, ' => => # 12.30 100%']],
    [3, [head, cached, running]],
    [2, [head, running]],
    [1, [head]],
  ])('fits a terminal of %i lines', (height, expected) => {
    expect(frame(12.6, { height })).toEqual(expected);
  });
});
