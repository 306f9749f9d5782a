import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Top of the repository. */
export const repositoryRoot: string = resolve(import.meta.dirname, '../..');

/**
 * True where a missing component is a failure and not a skipped suite: in CI, or when asked for with `BOXWRIGHT_E2E=1`.
 */
export const strict: boolean = process.env['CI'] === 'true' || process.env['BOXWRIGHT_E2E'] === '1';

/** Where downloads and results of the real engine are kept between runs: `$BOXWRIGHT_E2E_CACHE`, else the XDG cache directory. */
export function cacheDirectory(): string {
  const chosen = process.env['BOXWRIGHT_E2E_CACHE'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'boxwright-e2e');
}
