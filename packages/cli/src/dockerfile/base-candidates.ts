import { type BaseCandidate, LOST_BASE } from '@boxwright/inspect';
import {
  checkPlatform,
  type Descriptor,
  familiarName,
  type ImageConfig,
  type ImageStore,
  type Platform,
  parseImageLocation,
  parseReference,
} from '@boxwright/oci';
import type { CommandPlaces } from '../command-places.ts';
import { openShownImage } from '../shown-image.ts';

/** Images beyond this many names are not looked at. */
const mostTags = 10_000;

/**
 * Images that may be the base of one: those that the store names, and those of `--from`, which may be anywhere. What cannot
 * be read is no base; what `--from` names has to be readable.
 *
 * @throws BoxwrightError as finding and reading the images of `--from`
 */
export async function baseCandidates(
  names: readonly string[],
  platform: Platform,
  places: CommandPlaces,
): Promise<BaseCandidate[]> {
  const named: BaseCandidate[] = [];
  for (const name of names) {
    const image = await openShownImage(name, platform, places);
    try {
      named.push({ name: fromName(name), config: await (await image.read()).config() });
    } finally {
      await image.close();
    }
  }
  return [...named, ...inStore(places.store(), platform)];
}

function inStore(store: ImageStore, platform: Platform): BaseCandidate[] {
  const candidates: BaseCandidate[] = [];
  for (const { name, descriptor } of store.listTags().slice(0, mostTags)) {
    const config = readable(() => configFor(store, descriptor, platform));
    if (config !== undefined) candidates.push({ name: familiarName(parseReference(name)), config });
  }
  return candidates;
}

function configFor(store: ImageStore, descriptor: Descriptor, platform: Platform): ImageConfig {
  const config = store.image(descriptor, platform).config();
  checkPlatform(descriptor, config, [platform]);
  return config;
}

/** A damaged image, one of another platform, one of which only the index is here: none of them is of use. */
function readable(read: () => ImageConfig): ImageConfig | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What FROM can say: `docker://` goes without saying there; an image in a file has no name that it knows. */
function fromName(text: string): string {
  const location = parseImageLocation(text);
  return location.transport === 'store' || location.transport === 'docker' ? location.reference : LOST_BASE;
}
