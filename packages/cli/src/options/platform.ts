import { UsageError } from '@boxwright/errors';
import { type Platform, parsePlatform } from '@boxwright/oci';

/** `--platform OS/ARCH[/VARIANT]`, one. @throws UsageError for several; BoxwrightError for a malformed one */
export function parsePlatformFlag(text: string): Platform {
  if (text.includes(',')) {
    throw new UsageError(`--platform ${text}: several platforms in one build are not supported`, {
      hint: 'Build once per platform, each with a tag of its own.',
    });
  }
  return parsePlatform(text);
}
