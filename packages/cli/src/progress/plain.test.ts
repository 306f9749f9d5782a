import type { BuildEvent } from '@boxwright/build';
import { BoxwrightError } from '@boxwright/errors';
import { expect, it } from 'vitest';
import { CapturedOutput } from '../testing/captured-output.ts';
import { recordedBuild, recordedStart } from '../testing/recorded-build.ts';
import { PlainRenderer } from './plain.ts';

function render(events: readonly BuildEvent[]): string {
  const output = new CapturedOutput();
  const renderer = new PlainRenderer(output);
  for (const event of events) renderer.onEvent(event);
  renderer.finish();
  return output.text;
}

it('prints a build as buildx does', () => {
  expect(render(recordedBuild({ fails: false }))).toBe(`#1 [internal] load build context
#1 transferring context:
#1 transferring context: 12.35kB 0.1s done
#1 DONE 0.1s

#2 [1/3] FROM docker.io/library/base:latest
#2 CACHED

#3 [2/3] RUN make test
#3 0.123 compiling
#3 0.700 sed
#3 0.700 evil \\u202ebidi
#3 12.30 ok 测试 passed
#3 12.30 100%
#3 12.50 partial
#3 DONE 12.5s

#4 [3/3] COPY 文件 /应用/
#4 DONE 0.1s

 1 warning found:
 - StageNameCasing: Stage name "Base" should be lower case (line 1)
`);
});

it('repeats the end of the output of a step that failed', () => {
  const text = render(recordedBuild({ fails: true }));
  expect(text.slice(text.indexOf('#3 12.50'))).toBe(`#3 12.50 partial
#3 ERROR: process "/bin/sh -c make test" did not complete successfully: exit code: 3
------
 > [2/3] RUN make test:
0.123 compiling
0.700 sed
0.700 evil \\u202ebidi
12.30 ok 测试 passed
12.30 100%
12.50 partial
------
`);
});

it('lets steps that run side by side take turns', () => {
  const at = (seconds: number) => recordedStart + seconds * 1000;
  const log = (id: string, seconds: number): BuildEvent => ({
    type: 'log',
    id,
    stream: 1,
    data: Buffer.from(`${id} at ${seconds}\n`),
    time: at(seconds),
  });
  expect(
    render([
      { type: 'started', id: 'a', time: at(0) },
      { type: 'started', id: 'b', time: at(0) },
      log('a', 0.2),
      log('b', 0.3),
      log('a', 0.4),
      // Quiet for a second: b may print what waited.
      log('b', 1.5),
      log('a', 1.6),
      { type: 'completed', id: 'a', time: at(1.7) },
      { type: 'completed', id: 'b', time: at(1.8) },
    ]),
  ).toBe(`#1 a
#1 0.200 a at 0.2
#1 0.400 a at 0.4
#1 ...

#2 b
#2 0.300 b at 0.3
#2 1.500 b at 1.5
#2 ...

#1 a
#1 1.600 a at 1.6
#1 DONE 1.7s

#2 b
#2 DONE 1.8s
`);
});

it('prints a counter again only after 5 seconds or 5 percent', () => {
  const status = (seconds: number, current: number): BuildEvent => ({
    type: 'status',
    id: 'x',
    name: 'exporting',
    current,
    total: 1000,
    unit: 'bytes',
    time: recordedStart + seconds * 1000,
    done: current === 1000,
  });
  const text = render([status(0, 0), status(1, 10), status(2, 60), status(3, 61), status(9, 62), status(9.5, 1000)]);
  expect(text).toBe(`#1 x
#1 exporting 0B / 1.00kB
#1 exporting 60B / 1.00kB 2.0s
#1 exporting 62B / 1.00kB 9.0s
#1 exporting 1.00kB / 1.00kB 9.5s done
`);
});

it('tells the step that failed from those that were stopped because of it', () => {
  const error = new BoxwrightError('RUN_FAILED', 'exit code: 1', { details: { exitCode: 1 } });
  const text = render([
    { type: 'started', id: 'a', time: recordedStart },
    { type: 'started', id: 'b', time: recordedStart },
    { type: 'completed', id: 'a', time: recordedStart, error },
    { type: 'completed', id: 'b', time: recordedStart, error },
  ]);
  expect(text).toBe('#1 a\n#1 ERROR: exit code: 1\n\n#2 b\n#2 CANCELED\n');
});
