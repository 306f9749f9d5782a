import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, onTestFinished } from 'vitest';

/** Registers the removal of directories; call at the top of a test file, then the result for each new directory. */
export function temporaryDirectories(): () => string {
  const made: string[] = [];
  afterEach(() => {
    for (const directory of made.splice(0)) remove(directory);
  });
  return () => {
    const directory = make();
    made.push(directory);
    return directory;
  };
}

/** A new directory that goes after the test. */
export function temporaryDirectory(): string {
  const directory = make();
  onTestFinished(() => remove(directory));
  return directory;
}

function make(): string {
  return mkdtempSync(join(tmpdir(), 'boxwright-test-'));
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
