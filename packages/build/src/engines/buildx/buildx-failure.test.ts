import { describe, expect, it } from 'vitest';
import { parseSolveStatus } from '../solve/solve-status-json.ts';
import { SolveTrace } from '../solve/solve-trace.ts';
import { buildxFailure } from './buildx-failure.ts';

/** What buildx 0.29 prints when it does not come to a build. */
const words: readonly (readonly [string, string, RegExp])[] = [
  ['error during connect: Head "https://h/_ping": remote error: tls: certificate required', 'ENGINE_TLS', /cert\.pem/],
  ['failed to retrieve context tls info: tls: private key does not match public key', 'ENGINE_TLS', /key\.pem/],
  ['no valid private key found', 'ENGINE_TLS', /key\.pem/],
  ['Error response from daemon: Client sent an HTTP request to an HTTPS server.', 'ENGINE_TLS', /DOCKER_TLS_VERIFY=1/],
  ['docker endpoint for "default" not found', 'ENGINE_ADDRESS_INVALID', /ca\.pem/],
  ['failed to connect to the docker API at unix:///s: no such file', 'ENGINE_UNREACHABLE', /start Docker/],
  ['no builder "far" found', 'ENGINE_BUILD_FAILED', /docker buildx ls/],
  ['context deadline exceeded', 'ENGINE_UNREACHABLE', /inspect --bootstrap far/],
];

describe('buildxFailure', () => {
  it.each(words)('%s', (line, code, hint) => {
    const error = buildxFailure(new SolveTrace('buildx', undefined), [`ERROR: ${line}`], { code: 1, builder: 'far' });
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) });
    expect(error.details['transient']).not.toBe(true);
    expect(error.message).toContain(line);
  });

  it('takes the way to the builder for no step of the build', () => {
    const trace = new SolveTrace('buildx', undefined);
    const time = '2026-01-01T00:00:00Z';
    const error = 'context deadline exceeded';
    const vertex = {
      digest: 'sha256:a',
      name: '[internal] waiting for connection',
      started: time,
      completed: time,
      error,
    };
    const status = parseSolveStatus(JSON.stringify({ vertexes: [vertex] }));
    if (status !== undefined) trace.apply(status);
    const found = buildxFailure(trace, [`ERROR: ${error}`], { code: 1, builder: undefined });
    expect(found).toMatchObject({ code: 'ENGINE_UNREACHABLE', message: expect.stringContaining('the builder') });
  });

  it('reads none of them out of what a step says', () => {
    const trace = new SolveTrace('buildx', undefined);
    const time = '2026-01-01T00:00:00Z';
    const error = 'process "/bin/sh -c x" did not complete successfully: exit code: 3';
    const vertex = { digest: 'sha256:a', name: '[2/2] RUN x', started: time, completed: time, error };
    const status = parseSolveStatus(JSON.stringify({ vertexes: [vertex] }));
    if (status !== undefined) trace.apply(status);
    const found = buildxFailure(trace, ['ERROR: failed to solve: tls: no builder "x" found'], {
      code: 1,
      builder: 'b',
    });
    expect(found).toMatchObject({ code: 'RUN_FAILED', details: { exitCode: 3 } });
  });

  it('shows the place in the Dockerfile', () => {
    const lines = [
      'Dockerfile:2',
      '-'.repeat(20),
      '   2 | >>> COPY x /',
      '-'.repeat(20),
      'ERROR: failed to solve: no x',
    ];
    const trace = new SolveTrace('buildx', undefined);
    const found = buildxFailure(trace, lines, { code: 1, builder: undefined });
    expect(found).toMatchObject({
      frame: 'Dockerfile:2\n   2 | >>> COPY x /',
      details: { file: 'Dockerfile', line: 2 },
      message: 'buildx: no x',
    });
  });
});
