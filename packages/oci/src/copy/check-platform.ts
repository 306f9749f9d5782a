import type { Descriptor } from '../documents/descriptor.ts';
import type { ImageConfig } from '../documents/image-config.ts';
import { platformOf } from '../documents/parse-image-config.ts';
import type { Platform } from '../names/platform.ts';
import { platformMatches } from '../names/platform-match.ts';
import { platformMissing } from '../store/select-platform.ts';

/**
 * For an image without an index: who asked for a platform must not get another one unnoticed. One that does not say what
 * it is for is taken for the right one, as Docker does.
 *
 * @throws BoxwrightError PLATFORM_MISSING
 */
export function checkPlatform(image: Descriptor, config: ImageConfig, wanted: readonly Platform[]): void {
  if (config.os === '' || config.architecture === '') return;
  const platform = platformOf(config);
  const missing = wanted.find((one) => !platformMatches(one, platform));
  if (missing !== undefined) throw platformMissing(image, missing, [{ platform }]);
}
