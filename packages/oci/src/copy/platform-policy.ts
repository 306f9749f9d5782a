import { BoxwrightError } from '@boxwright/errors';
import { hostPlatform, type Platform } from '../names/platform.ts';

/**
 * What is taken of an index:
 *  - `whole`: all of it, byte for byte;
 *  - `sparse`: the index byte for byte, of its images only the wanted ones: the digest stays, parts are missing;
 *  - `rewrite`: a new index of the wanted images and their attestations: another digest, nothing missing;
 *  - `single`: one image, without an index.
 * For what is no index all of them are the same.
 */
export type PlatformPolicy = 'whole' | 'sparse' | 'rewrite' | 'single';

/** All policies, for command lines. */
export const platformPolicies: readonly PlatformPolicy[] = ['whole', 'sparse', 'rewrite', 'single'];

/** A policy and the platforms it is about. */
export interface PlatformChoice {
  readonly policy: PlatformPolicy;
  /** Empty for `whole`, one for `single`. */
  readonly platforms: readonly Platform[];
}

/**
 * Fills in what was left out: without platforms the whole, with one `single`, with several `rewrite`; a policy that needs
 * platforms takes this machine's.
 *
 * @throws BoxwrightError POLICY_INVALID when policy and platforms contradict each other
 */
export function platformChoice(
  policy: PlatformPolicy | undefined,
  platforms: readonly Platform[] | undefined,
): PlatformChoice {
  const wanted = platforms ?? [];
  if (policy === undefined) {
    if (wanted.length === 0) return { policy: 'whole', platforms: [] };
    return { policy: wanted.length === 1 ? 'single' : 'rewrite', platforms: wanted };
  }
  if (policy === 'whole') {
    if (wanted.length === 0) return { policy, platforms: [] };
    throw new BoxwrightError('POLICY_INVALID', 'the policy whole takes every platform, but some were named', {
      hint: 'choose sparse (keeps the digest), rewrite or single, or name no platform',
    });
  }
  if (policy === 'single' && wanted.length > 1) {
    throw new BoxwrightError(
      'POLICY_INVALID',
      `the policy single takes one platform, but ${wanted.length} were named`,
      {
        hint: 'choose sparse (keeps the digest) or rewrite for several platforms',
      },
    );
  }
  return { policy, platforms: wanted.length === 0 ? [hostPlatform()] : wanted };
}
