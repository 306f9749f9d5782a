import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type Reference, repositoryName } from '@boxwright/oci';
import type { CommandPlaces } from '../command-places.ts';

/** All tags of a repository. @throws BoxwrightError REGISTRY_NOT_FOUND when it has none, and others of asking */
export async function listTags(reference: Reference, places: CommandPlaces): Promise<readonly string[]> {
  const repository = places.registries().repository({ registry: reference.domain, path: reference.path });
  const tags: string[] = [];
  for await (const tag of repository.tags({ signal: places.signal })) tags.push(tag);
  if (tags.length > 0) return tags;
  throw new BoxwrightError('REGISTRY_NOT_FOUND', `${escapeForTerminal(repositoryName(reference))} has no tags`, {
    hint: 'Name an image by its digest.',
  });
}
