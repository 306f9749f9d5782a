import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

const open = new Set<string>();

/** A new directory that is removed with all it holds after the test that asked for it. */
export function temporaryDirectory(label = 'test'): string {
  const directory = mkdtempSync(join(workDirectory(), `${label}-`));
  open.add(directory);
  return directory;
}

/** The directory that every part of the suite works below; the engine's chroot sees it under the same path. */
export function workDirectory(): string {
  return process.env['BOXWRIGHT_E2E_WORK'] ?? tmpdir();
}

/** Removes what {@link temporaryDirectory} made. Registered by each test file that uses it. */
export function removeTemporaryDirectoriesAfterEach(): void {
  afterEach(() => {
    for (const directory of open) {
      rmSync(directory, { recursive: true, force: true });
      open.delete(directory);
    }
  });
}
