import { expect } from 'vitest';
import type { RunResult } from './run.ts';

/** A command failed with one error that a person can use: a code that is meant, its words, no stack. */
export function expectError(result: RunResult, code: RegExp, ...says: readonly (string | RegExp)[]): void {
  expect(result.stderr).toMatch(/^(?:boxwright: )?error: .*\[[A-Z][A-Z0-9_]+\]/m);
  expect(result.stderr.match(/\[([A-Z][A-Z0-9_]+)\]/)?.[1]).toMatch(code);
  expect(result.stderr).not.toMatch(/^\s+at .*\.[jt]s:\d+/m);
  expect(result.stderr).not.toMatch(/\[INTERNAL\]/);
  for (const text of says) expect(result.stderr).toMatch(text);
  expect(result.code).toBe(1);
}
