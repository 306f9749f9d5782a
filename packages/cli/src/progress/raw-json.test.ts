import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { CapturedOutput } from '../testing/captured-output.ts';
import { recordedBuild } from '../testing/recorded-build.ts';
import { RawJsonRenderer } from './raw-json.ts';

it("prints BuildKit's SolveStatus, one object per line", () => {
  const output = new CapturedOutput();
  const renderer = new RawJsonRenderer(output);
  for (const event of recordedBuild({ fails: true })) renderer.onEvent(event);
  renderer.finish();
  const lines = output.text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  const digest = (id: string) => `sha256:${createHash('sha256').update(id).digest('hex')}`;
  expect(lines[2]).toEqual({
    vertexes: [{ digest: digest('run'), inputs: [digest('from'), digest('context')], name: '[2/3] RUN make   test' }],
  });
  expect(lines[6]).toEqual({
    statuses: [
      {
        id: 'transferring context:',
        vertex: digest('context'),
        current: 12_345,
        timestamp: '2026-01-01T00:00:00.100Z',
        started: '2026-01-01T00:00:00.000Z',
        completed: '2026-01-01T00:00:00.100Z',
      },
    ],
  });
  expect(lines).toContainEqual({
    logs: [{ vertex: digest('run'), stream: 1, data: 'Y29tcGlsaW5nCg==', timestamp: '2026-01-01T00:00:00.323Z' }],
  });
  expect(lines.at(-1)).toEqual({
    vertexes: [
      {
        digest: digest('run'),
        inputs: [digest('from'), digest('context')],
        name: '[2/3] RUN make   test',
        started: '2026-01-01T00:00:00.200Z',
        completed: '2026-01-01T00:00:12.700Z',
        error: 'process "/bin/sh -c make test" did not complete successfully: exit code: 3',
      },
    ],
  });
  expect(lines).toContainEqual({ vertexes: [expect.objectContaining({ digest: digest('from'), cached: true })] });
});
