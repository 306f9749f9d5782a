import type { BuildEvent } from '@boxwright/build';
import { BoxwrightError } from '@boxwright/errors';

/** When the recorded build started, milliseconds since 1970. */
export const recordedStart: number = Date.parse('2026-01-01T00:00:00Z');

const at = (seconds: number) => recordedStart + Math.round(seconds * 1000);
const log = (id: string, seconds: number, text: string, stream: 1 | 2 = 1): BuildEvent => ({
  type: 'log',
  id,
  stream,
  data: Buffer.from(text),
  time: at(seconds),
});

/** A build of four steps as the engine reports it: a counter, a cache hit, output of a RUN, a failure at will. */
export function recordedBuild({ fails }: { readonly fails: boolean }): readonly BuildEvent[] {
  const error = fails
    ? new BoxwrightError('RUN_FAILED', 'process "/bin/sh -c make test" did not complete successfully: exit code: 3', {
        details: { exitCode: 3 },
      })
    : undefined;
  return [
    { type: 'vertex', id: 'context', name: '[internal] load build context', inputs: [] },
    { type: 'vertex', id: 'from', name: '[1/3] FROM docker.io/library/base:latest', inputs: [] },
    { type: 'vertex', id: 'run', name: '[2/3] RUN make   test', inputs: ['from', 'context'] },
    { type: 'vertex', id: 'copy', name: '[3/3] COPY 文件 /应用/', inputs: ['run'] },
    { type: 'started', id: 'context', time: at(0) },
    {
      type: 'status',
      id: 'context',
      name: 'transferring context:',
      current: 0,
      unit: 'bytes',
      time: at(0),
      done: false,
    },
    {
      type: 'status',
      id: 'context',
      name: 'transferring context:',
      current: 12_345,
      unit: 'bytes',
      time: at(0.1),
      done: true,
    },
    { type: 'completed', id: 'context', time: at(0.12) },
    { type: 'cached', id: 'from', time: at(0.13) },
    { type: 'completed', id: 'from', time: at(0.13) },
    { type: 'started', id: 'run', time: at(0.2) },
    log('run', 0.323, 'compiling\n'),
    log('run', 0.5, '\u001b[32mok\u001b[0m 测试 pas'),
    log('run', 0.9, 'sed\nevil \u001b]0;title\u0007\u202ebidi\n', 2),
    log('run', 12.5, 'sed\n10%\r55%\r100%\npartial'),
    { type: 'completed', id: 'run', time: at(12.7), ...(error === undefined ? {} : { error }) },
    ...(fails
      ? []
      : ([
          { type: 'started', id: 'copy', time: at(12.8) },
          {
            type: 'warning',
            message: 'StageNameCasing: Stage name "Base" should be lower case',
            file: 'Dockerfile',
            line: 1,
          },
          { type: 'completed', id: 'copy', time: at(12.9) },
        ] satisfies BuildEvent[])),
  ];
}
