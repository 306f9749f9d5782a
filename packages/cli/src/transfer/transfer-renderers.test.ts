import { stripVTControlCharacters } from 'node:util';
import { displayWidth } from '@boxwright/inspect';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProgressMode } from '../progress/create-renderer.ts';
import { CapturedOutput } from '../testing/captured-output.ts';
import { createTransferRenderer } from './create-transfer-renderer.ts';
import type { TransferEvent, TransferRenderer } from './transfer-event.ts';
import { transferFrame } from './transfer-frame.ts';
import { Speed, TransferTrace } from './transfer-trace.ts';

const layer = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const config = `sha256:${'c'.repeat(64)}`;
const start = Date.parse('2026-01-02T03:04:05Z');

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Six seconds of a transfer: a large layer at 1 MB/s, one that exists, a config that is mounted, a retry. */
function play(renderer: TransferRenderer): void {
  const events: TransferEvent[] = [
    { type: 'image', title: 'Copying a:1 to evil\u001b[2J', source: 'a:1', destination: 'evil\u001b[2J' },
    { type: 'finished', id: other, kind: 'layer', size: 2_000_000, outcome: 'exists' },
    { type: 'finished', id: config, kind: 'config', size: 500, outcome: 'mounted' },
    { type: 'found', id: layer, kind: 'layer', size: 8_000_000 },
    { type: 'started', id: layer, kind: 'layer' },
  ];
  for (const event of events) renderer.onEvent(event);
  for (let second = 1; second <= 6; second++) {
    renderer.onEvent({ type: 'bytes', id: layer, count: 1_000_000 });
    vi.advanceTimersByTime(1000);
  }
  renderer.onEvent({ type: 'note', level: 'retry', text: `layer: connection reset\u0007` });
}

async function render(mode: ProgressMode, output: CapturedOutput, ends = true): Promise<string> {
  const renderer = await createTransferRenderer(mode, output, false);
  play(renderer);
  if (ends) renderer.onEvent({ type: 'finished', id: layer, kind: 'layer', size: 8_000_000, outcome: 'copied' });
  renderer.finish();
  expect(vi.getTimerCount()).toBe(0);
  return output.text;
}

it('prints lines for logs', async () => {
  expect(await render('plain', new CapturedOutput())).toBe(`Copying a:1 to evil\\x1b[2J
layer bbbbbbbbbbbb: 2.00MB already there
config cccccccccccc: 500B mounted
layer aaaaaaaaaaaa: 5.00MB / 8.00MB (1.00MB/s)
retry: layer: connection reset\\x07
layer aaaaaaaaaaaa: 8.00MB copied in 6.0s
`);
});

it('prints JSON for programs', async () => {
  const lines = (await render('rawjson', new CapturedOutput())).trim().split('\n');
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(objects.slice(0, 5).map(({ type }) => type)).toEqual(['image', 'finished', 'finished', 'found', 'started']);
  expect(objects[2]).toEqual({
    type: 'finished',
    digest: config,
    kind: 'config',
    size: 500,
    outcome: 'mounted',
    time: '2026-01-02T03:04:05.000Z',
  });
  const progress = objects.filter(({ type }) => type === 'progress');
  expect(progress).toHaveLength(6);
  expect(progress.at(-1)).toEqual({
    type: 'progress',
    digest: layer,
    current: 6_000_000,
    total: 8_000_000,
    time: expect.any(String),
  });
});

it('draws bars in place and leaves the list', async () => {
  const output = new CapturedOutput({ columns: 100, rows: 20 });
  const text = await render('tty', output);
  expect(text).toContain(' layer aaaaaaaaaaaa     [==================>           ]  5.00MB / 8.00MB  1.00MB/s');
  for (const frame of text.split('\u001b[?2026l')) expect(frame.split('\n').length).toBeLessThanOrEqual(20);
  expect(stripVTControlCharacters(text).split('\n').slice(-6)).toEqual([
    '[+] Copying a:1 to evil\\x1b[2J  3/3  10.00MB / 10.00MB  6.0s',
    ' layer bbbbbbbbbbbb     2.00MB already there',
    ' config cccccccccccc    500B mounted',
    ' layer aaaaaaaaaaaa     8.00MB copied in 6.0s',
    'retry: layer: connection reset\\x07',
    '',
  ]);
  expect(text).not.toContain('\u001b[2J');
});

it('says nothing when asked to be quiet', async () => {
  expect(await render('quiet', new CapturedOutput())).toBe('');
});

it('draws on a terminal and prints lines elsewhere', async () => {
  expect(await render('auto', new CapturedOutput())).toContain('Copying ');
  expect(await render('auto', new CapturedOutput({ columns: 80, rows: 24 }))).toContain('[+]');
});

describe('transferFrame', () => {
  const plain = { elapsed: undefined, done: (text: string) => text, note: (text: string) => text };

  it.each([10, 30, 60, 100])('is never wider than %i columns, nor higher than the terminal', (width) => {
    const trace = new TransferTrace();
    play({ onEvent: (event) => trace.apply(event), finish: () => {} });
    for (const height of [1, 2, 3, 10]) {
      const lines = transferFrame(trace, { width, height, now: start, speed: new Speed(), ...plain });
      expect(lines.length).toBeLessThanOrEqual(height);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  it('keeps what runs when there is little room', () => {
    const trace = new TransferTrace();
    play({ onEvent: (event) => trace.apply(event), finish: () => {} });
    const lines = transferFrame(trace, { width: 100, height: 3, now: start, speed: new Speed(), ...plain });
    expect(lines[1]).toContain('layer aaaaaaaaaaaa');
  });

  it('shows what has no known size without a bar', () => {
    const trace = new TransferTrace();
    trace.apply({ type: 'found', id: layer, kind: 'layer', size: undefined });
    trace.apply({ type: 'found', id: other, kind: 'layer', size: 5 });
    trace.apply({ type: 'started', id: layer, kind: 'layer' });
    trace.apply({ type: 'bytes', id: layer, count: 1234 });
    const lines = transferFrame(trace, { width: 100, height: 3, now: start, speed: new Speed(), ...plain });
    expect(lines.slice(1)).toEqual([' layer aaaaaaaaaaaa     1.23kB', ' layer bbbbbbbbbbbb     waiting']);
  });
});

it('a failed try counts no more', () => {
  const trace = new TransferTrace();
  trace.apply({ type: 'found', id: layer, kind: 'layer', size: 10 });
  trace.apply({ type: 'bytes', id: layer, count: 7 });
  trace.apply({ type: 'bytes', id: layer, count: -7 });
  expect([trace.arrived, trace.total, trace.bytes]).toEqual([0, 10, 0]);
});
