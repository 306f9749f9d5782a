import { BoxwrightError } from '@boxwright/errors';
import { describe, expect, it } from 'vitest';
import { buildFailure, isCommand, looksTransient } from './build-failure.ts';
import { withRetries } from './retry.ts';

const passing = buildFailure({ builder: 'x', message: 'received unexpected HTTP status: 502 Bad Gateway' });

/** Fails with these errors in turn, then gives the number of tries. */
function failing(...errors: readonly Error[]): () => Promise<number> {
  let tries = 0;
  return async () => {
    const error = errors[tries++];
    if (error !== undefined) throw error;
    return tries;
  };
}

describe('withRetries', () => {
  it('tries again what may pass, and says so', async () => {
    const seen: number[] = [];
    const onRetry = ({ attempt, attempts }: { attempt: number; attempts: number }): void => {
      seen.push(attempt, attempts);
    };
    expect(await withRetries({ waits: [1, 1, 1], onRetry }, failing(passing, passing))).toBe(3);
    expect(seen).toEqual([1, 4, 2, 4]);
  });

  it('gives up after the last wait, and at once for all else', async () => {
    await expect(withRetries({ waits: [1] }, failing(passing, passing))).rejects.toBe(passing);
    const other = new BoxwrightError('ENGINE_BUILD_FAILED', 'no', { details: { transient: false } });
    await expect(withRetries({ waits: [1] }, failing(other))).rejects.toBe(other);
    const foreign = new Error('connection reset');
    await expect(withRetries({ waits: [1] }, failing(foreign))).rejects.toBe(foreign);
  });

  it('ends with its signal', async () => {
    const signal = AbortSignal.timeout(10);
    await expect(withRetries({ waits: [60_000], signal }, failing(passing))).rejects.toThrow(/abort/i);
  });

  it('never repeats a command', () => {
    const message = 'process "sh" did not complete successfully: exit code: 1: connection reset';
    expect(buildFailure({ builder: 'x', message, step: '[2/2] RUN sh', exitCode: 1 }).details).not.toHaveProperty(
      'transient',
    );
    expect(buildFailure({ builder: 'x', message, step: '[2/2] RUN sh' }).details).toMatchObject({ transient: false });
  });

  it('asks again where the answer of a server says so', () => {
    expect(buildFailure({ builder: 'x', message: 'busy', status: 503 }).details).toMatchObject({ transient: true });
    expect(buildFailure({ builder: 'x', message: 'no', status: 500 }).details).toMatchObject({ transient: false });
  });
});

describe('looksTransient', () => {
  it.each([
    '500 Internal Server Error',
    'net/http: TLS handshake timeout',
    'i/o timeout',
    'toomanyrequests: slow down',
    '504 Gateway Timeout',
    'unexpected EOF',
    'Get "https://x": EOF',
  ])('%s', (words) => {
    expect(looksTransient(words)).toBe(true);
  });
  it.each(['manifest unknown', 'EOFError', 'exit code: 502'])('not %s', (words) => {
    expect(looksTransient(words)).toBe(false);
  });
});

describe('isCommand', () => {
  it.each(['[2/3] RUN make', '[build 12/13] RUN --mount=type=cache x', '[2/2] ONBUILD RUN x'])('%s', (step) => {
    expect(isCommand(step)).toBe(true);
  });
  it.each(['[1/2] FROM x', '[internal] load metadata for run', '[2/3] COPY RUN /', undefined])('not %s', (step) => {
    expect(isCommand(step)).toBe(false);
  });
});
