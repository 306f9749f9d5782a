import { UsageError } from '@boxwright/errors';
import { formatPlatform, type Platform, parsePlatform } from '@boxwright/oci';

/** `--platform`, which may be repeated and hold a list: `all`, or some. */
export type PlatformChoice = 'all' | readonly Platform[];

/**
 * `--platform linux/amd64,linux/arm64`, `--platform linux/amd64 --platform linux/arm64` or `--platform all`; undefined
 * when the flag was not given. Each platform once, in the order given.
 *
 * @throws UsageError for an empty part, and for `all` beside others; BoxwrightError PLATFORM_INVALID
 */
export function parsePlatformsFlag(values: readonly string[]): PlatformChoice | undefined {
  if (values.length === 0) return undefined;
  const parts = values.flatMap((value) => value.split(',')).map((part) => part.trim());
  if (parts.includes('')) throw new UsageError(`--platform ${values.join(',')}: a part of the list is empty`);
  if (parts.includes('all')) {
    if (parts.every((part) => part === 'all')) return 'all';
    throw new UsageError(`--platform ${parts.join(',')}: all stands alone`, { hint: 'Leave out the other platforms.' });
  }
  const platforms = parts.map(parsePlatform);
  return [...new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values()];
}
