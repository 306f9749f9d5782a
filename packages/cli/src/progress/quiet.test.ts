import { BoxwrightError } from '@boxwright/errors';
import { expect, it } from 'vitest';
import { CapturedOutput } from '../testing/captured-output.ts';
import { recordedBuild, recordedStart } from '../testing/recorded-build.ts';
import { createRenderer } from './create-renderer.ts';

it('prints nothing of a build that succeeds', async () => {
  const output = new CapturedOutput();
  const renderer = await createRenderer('quiet', output, false);
  for (const event of recordedBuild({ fails: false })) renderer.onEvent(event);
  renderer.finish();
  expect(output.text).toBe('');
});

it('prints the end of the output of the step that failed, and of no other', async () => {
  const output = new CapturedOutput();
  const renderer = await createRenderer('quiet', output, false);
  for (const event of recordedBuild({ fails: true })) renderer.onEvent(event);
  expect(output.text).toBe('');
  renderer.finish();
  expect(output.text).toMatch(
    /^------\n > \[2\/3\] RUN make test:\n0\.123 compiling\n[\s\S]*12\.50 partial\n------\n$/,
  );
});

it('prints twenty lines of it', async () => {
  const output = new CapturedOutput();
  const renderer = await createRenderer('quiet', output, false);
  const error = new BoxwrightError('RUN_FAILED', 'failed');
  const data = Buffer.from(Array.from({ length: 30 }, (_, at) => `line ${at}\n`).join(''));
  renderer.onEvent({ type: 'started', id: 'run', time: recordedStart });
  renderer.onEvent({ type: 'log', id: 'run', stream: 1, data, time: recordedStart });
  renderer.onEvent({ type: 'completed', id: 'run', time: recordedStart, error });
  renderer.finish();
  const lines = output.text.split('\n').slice(2, -2);
  expect(lines).toEqual([
    '… 10 earlier lines left out',
    ...Array.from({ length: 20 }, (_, at) => `0.000 line ${at + 10}`),
  ]);
});

it('is silent for programs', async () => {
  const output = new CapturedOutput();
  const renderer = await createRenderer('silent', output, false);
  for (const event of recordedBuild({ fails: true })) renderer.onEvent(event);
  renderer.finish();
  expect(output.text).toBe('');
});
