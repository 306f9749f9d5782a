import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../events.ts';
import { writeFields } from './protobuf.ts';
import { parseSolveStatus } from './solve-status-json.ts';
import { decodeSolveStatus } from './solve-status-proto.ts';
import { SolveTrace } from './solve-trace.ts';

const time = (second: number): string => `2026-01-01T00:00:0${second}.5Z`;
const timestamp = (second: number): Buffer =>
  writeFields([
    [1, Date.parse(time(second)) / 1000 - 0.5],
    [2, 500_000_000],
  ]);

const json = JSON.stringify({
  vertexes: [{ digest: 'a', name: '[2/2] RUN x', inputs: ['b'], started: time(1), completed: time(2), error: 'no' }],
  statuses: [{ id: 'pulling', vertex: 'a', current: 1, total: 2, timestamp: time(1), completed: time(2) }],
  logs: [{ vertex: 'a', stream: 2, data: Buffer.from('out').toString('base64'), timestamp: time(1) }],
  warnings: [
    {
      short: Buffer.from('Short').toString('base64'),
      detail: [Buffer.from('Long').toString('base64')],
      url: 'https://x',
      sourceInfo: { filename: 'Dockerfile' },
      range: [{ start: { line: 3 } }],
    },
  ],
});

const proto = writeFields([
  [
    1,
    [
      writeFields([
        [1, 'a'],
        [2, ['b']],
        [3, '[2/2] RUN x'],
        [5, timestamp(1)],
        [6, timestamp(2)],
        [7, 'no'],
      ]),
    ],
  ],
  [
    2,
    [
      writeFields([
        [1, 'pulling'],
        [2, 'a'],
        [4, 1],
        [5, 2],
        [6, timestamp(1)],
        [8, timestamp(2)],
      ]),
    ],
  ],
  [
    3,
    [
      writeFields([
        [1, 'a'],
        [2, timestamp(1)],
        [3, 2],
        [4, 'out'],
      ]),
    ],
  ],
  [
    4,
    [
      writeFields([
        [3, 'Short'],
        [4, ['Long']],
        [5, 'https://x'],
        [6, writeFields([[1, 'Dockerfile']])],
        [7, writeFields([[1, writeFields([[1, 3]])]])],
      ]),
    ],
  ],
]);

function run(error: string, name = '[2/2] RUN make'): { readonly events: BuildEvent[]; readonly trace: SolveTrace } {
  const events: BuildEvent[] = [];
  const trace = new SolveTrace('buildx', (event) => events.push(event));
  const vertex = { digest: 'a', name, inputs: [], cached: false, started: 1, error: '' };
  trace.apply({ vertexes: [vertex], statuses: [], logs: [], warnings: [] });
  const data = Buffer.from('connection reset\n');
  trace.apply({ vertexes: [], statuses: [], logs: [{ vertex: 'a', stream: 1, data }], warnings: [] });
  trace.apply({ vertexes: [{ ...vertex, completed: 2, error }], statuses: [], logs: [], warnings: [] });
  return { events, trace };
}

describe('reports of BuildKit', () => {
  it('say the same as JSON and as protobuf', () => {
    const ofJson = parseSolveStatus(json);
    const ofProto = decodeSolveStatus(proto);
    expect({ ...ofProto, logs: ofProto.logs.map((log) => ({ ...log, data: Buffer.from(log.data) })) }).toEqual(ofJson);
    expect(ofJson?.warnings).toEqual([
      { short: 'Short', detail: ['Long'], url: 'https://x', file: 'Dockerfile', line: 3 },
    ]);
  });

  it.each(['ERROR: no', '{', '{"a":1}', '[]', '{"vertexes":1}'])('are not %s', (line) => {
    expect(parseSolveStatus(line)).toBeUndefined();
  });

  it('may lack everything', () => {
    const line = '{"vertexes":[{}],"statuses":[{"vertex":"x"},null],"logs":[{}],"warnings":[{}]}';
    const trace = new SolveTrace('buildx', () => {});
    trace.apply(parseSolveStatus(line) ?? decodeSolveStatus(Buffer.alloc(0)));
    expect(trace.hasBegun).toBe(true);
  });
});

describe('SolveTrace', () => {
  it('tells a command that failed from a builder that did', () => {
    const said = 'process "/bin/sh -c make" did not complete successfully: exit code: 2';
    const { events, trace } = run(said);
    const error = { code: 'RUN_FAILED', message: said, details: { exitCode: 2, output: 'connection reset' } };
    expect(trace.failure('failed to solve')).toMatchObject(error);
    expect(events.map(({ type }) => type)).toEqual(['vertex', 'started', 'log', 'completed']);
    expect(events.at(-1)).toMatchObject({ error });
  });

  it('knows what may pass by itself', () => {
    const reset = 'failed to fetch: read tcp: connection reset by peer';
    expect(run(reset, '[1/2] FROM x').trace.failure(reset).details).toMatchObject({ transient: true });
    expect(
      run('unexpected status: 429 Too Many Requests', '[internal] load metadata for x').trace.failure(
        '429 Too Many Requests',
      ).details,
    ).toMatchObject({ transient: true });
    // A command that never ran to its end is still a command.
    expect(run(reset).trace.failure(reset).details).toMatchObject({ transient: false });
    expect(run('not found', '[1/2] FROM x').trace.failure('not found').details).toMatchObject({ transient: false });
  });

  it('shows the place, and who was stopped', () => {
    const { trace } = run('no', '[2/2] COPY a /');
    const frame = 'sub/Dockerfile:12\n  12 | >>> COPY a /';
    expect(trace.failure('no', frame)).toMatchObject({ frame, details: { file: 'sub/Dockerfile', line: 12 } });
    expect(run('rpc error: context canceled').events.at(-1)).toMatchObject({ error: { code: 'INTERRUPTED' } });
  });

  it('announces steps in the order of the build, whatever order they are reported in', () => {
    const names: string[] = [];
    const trace = new SolveTrace('buildx', (event) => void (event.type === 'vertex' && names.push(event.name)));
    const vertex = (digest: string, ...inputs: readonly string[]) => ({
      digest,
      name: digest,
      inputs,
      cached: false,
      error: '',
    });
    const steps = [
      vertex('3', '2'),
      vertex('2', '1', 'context'),
      vertex('circle', 'circle'),
      vertex('1'),
      vertex('context'),
    ];
    trace.apply({ vertexes: steps, statuses: [], logs: [], warnings: [] });
    expect(names).toEqual(['1', 'context', '2', '3', 'circle']);
    const many = Array.from({ length: 50_000 }, (_, at) => vertex(`n${at}`, `n${at + 1}`));
    trace.apply({ vertexes: many, statuses: [], logs: [], warnings: [] });
    expect(names.at(-1)).toBe('n0');
  });
});
