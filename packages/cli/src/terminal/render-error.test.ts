import { BoxwrightError } from '@boxwright/errors';
import { describe, expect, it } from 'vitest';
import { renderError } from './render-error.ts';

class FramedError extends BoxwrightError {
  readonly file = 'Dockerfile';
  readonly frame: string = 'Dockerfile:2:1\n   2 | \tRNU x\u001b[2J\n     | ^';
}

const plain = { format: 'text', colors: false, debug: false } as const;

describe('renderError', () => {
  it('prints message, frame and hint, escaped', () => {
    const error = new FramedError('UNKNOWN_INSTRUCTION', 'unknown instruction RNU', { hint: 'Did you mean RUN?' });
    expect(renderError(error, plain)).toBe(`error: unknown instruction RNU [UNKNOWN_INSTRUCTION]
Dockerfile:2:1
   2 |     RNU x\\x1b[2J
     | ^
hint: Did you mean RUN?
`);
  });

  it('puts the verdict on a failed step last, as buildx does', () => {
    const error = new FramedError('RUN_FAILED', 'process "x" did not complete successfully: exit code: 3', {
      details: { exitCode: 3 },
    });
    expect(renderError(error, plain).split('\n').at(-2)).toBe(
      'ERROR: process "x" did not complete successfully: exit code: 3 [RUN_FAILED]',
    );
  });

  it('prints JSON', () => {
    const error = new FramedError('RUN_FAILED', 'a\u202eb', { details: { exitCode: 3 } });
    const text = renderError(error, { ...plain, format: 'json' });
    expect(text).toContain('a\\u202eb');
    expect(JSON.parse(text)).toEqual({
      error: {
        code: 'RUN_FAILED',
        message: 'a\u202eb',
        file: 'Dockerfile',
        frame: error.frame,
        details: { exitCode: 3 },
        stepFailed: true,
      },
    });
  });

  it('tells errors of the operating system from faults of the program', () => {
    const system = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      errno: -28,
      syscall: 'write',
    });
    expect(renderError(system, plain)).toBe('error: ENOSPC: no space left on device, write [ENOSPC]\n');
    expect(renderError(new TypeError('x is undefined'), plain)).toBe(
      'error: internal error: x is undefined [INTERNAL]\nhint: Run again with BOXWRIGHT_DEBUG=1 and report what it prints.\n',
    );
    expect(renderError('text', plain)).toContain('internal error: text');
  });

  it('shows stacks and causes when debugging', () => {
    const error = new BoxwrightError('OUTER', 'outer', { cause: new Error('inner') });
    const text = renderError(error, { ...plain, debug: true });
    expect(text).toMatch(/BoxwrightError: outer\n {4}at .*caused by: Error: inner\n {4}at /s);
  });
});
