import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, inject } from 'vitest';

const open = new Set<string>();

/**
 * A new directory that is removed with all it holds after the test that asked for it. The engine's chroot sees it under
 * the same path.
 */
export function temporaryDirectory(label = 'test'): string {
  const directory = mkdtempSync(join(inject('workDirectory'), `${label}-`));
  open.add(directory);
  return directory;
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
