import { normalizePlatform, type Platform } from './platform.ts';

/**
 * True when something made for `have` runs where `wanted` is asked for: containerd's rule (`platforms.Only`), so that
 * `arm/v7` takes `arm/v6`, and `amd64` takes `386`.
 */
export function platformMatches(wanted: Platform, have: Platform): boolean {
  return platformRank(wanted, have) !== undefined;
}

/** True when both say the same after normalisation; versions and features of the operating system are not compared. */
export function samePlatform(a: Platform, b: Platform): boolean {
  const [left, right] = [normalizePlatform(a), normalizePlatform(b)];
  return left.os === right.os && left.architecture === right.architecture && left.variant === right.variant;
}

/**
 * The best of several things for the wanted platform, or undefined when none runs there: the same platform first, then
 * ever older variants; among equals the first in the list.
 */
export function bestForPlatform<T>(
  wanted: Platform,
  candidates: Iterable<T>,
  platformOf: (candidate: T) => Platform | undefined,
): T | undefined {
  let best: { readonly candidate: T; readonly rank: number } | undefined;
  for (const candidate of candidates) {
    const have = platformOf(candidate);
    const rank = have === undefined ? undefined : platformRank(wanted, have);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { candidate, rank };
  }
  return best?.candidate;
}

/** How far `have` is from `wanted`: 0 is the same, larger is less capable, undefined does not run. */
function platformRank(wanted: Platform, have: Platform): number | undefined {
  const want = normalizePlatform(wanted);
  const given = normalizePlatform(have);
  if (want.os !== given.os || !versionFits(want, given)) return undefined;
  // The list is sorted and unique on both sides after normalisation.
  if (given.osFeatures?.some((feature) => want.osFeatures?.includes(feature) !== true) === true) return undefined;
  const rank = accepted(want).findIndex(
    ([architecture, variant]) => architecture === given.architecture && variant === (given.variant ?? ''),
  );
  return rank < 0 ? undefined : rank;
}

/** Windows images run on their own build number only: the first three parts of the version. */
function versionFits(wanted: Platform, have: Platform): boolean {
  if (wanted.os !== 'windows' || wanted.osVersion === undefined || have.osVersion === undefined) return true;
  const build = (version: string) => version.split('.').slice(0, 3).join('.');
  return build(wanted.osVersion) === build(have.osVersion);
}

type Processor = readonly [architecture: string, variant: string];

/** What a processor runs, most capable first. Variants in normal form (`''` for amd64 v1 and arm64 v8). */
function accepted({ architecture, variant = '' }: Platform): readonly Processor[] {
  const own: Processor = [architecture, variant];
  switch (architecture) {
    case 'amd64':
      return [own, ...versions('amd64', majorOf(variant) - 1, 1), ['386', '']];
    case 'arm':
      return [own, ...versions('arm', majorOf(variant) - 1, 5)];
    case 'arm64':
      return [own, ...olderArm64(variant), ['arm', 'v8'], ...versions('arm', 7, 5)];
    default:
      return [own];
  }
}

function versions(architecture: string, from: number, to: number): Processor[] {
  const result: Processor[] = [];
  for (let version = from; version >= to; version--) {
    result.push([architecture, architecture === 'amd64' && version === 1 ? '' : `v${version}`]);
  }
  return result;
}

/** `v8.x` runs all smaller `v8`; `v9.x` runs all smaller `v9` and `v8.(x+5)` and below (the Arm architecture's rule). */
function olderArm64(variant: string): Processor[] {
  const match = /^v([89])(?:\.(\d))?$/.exec(variant);
  if (match === null) return [];
  const minor = Number(match[2] ?? 0);
  const list = (major: number, from: number): Processor[] => {
    const result: Processor[] = [];
    for (let below = from; below >= 0; below--) {
      const name = below === 0 ? `v${major}` : `v${major}.${below}`;
      result.push(['arm64', name === 'v8' ? '' : name]);
    }
    return result;
  };
  return match[1] === '9' ? [...list(9, minor - 1), ...list(8, Math.min(minor + 5, 9))] : list(8, minor - 1);
}

/** `v7` is 7; 0 when there is no such number. Bounded, since variants come from outside. */
function majorOf(variant: string): number {
  return Number(/^v(\d{1,2})$/.exec(variant)?.[1] ?? 0);
}
