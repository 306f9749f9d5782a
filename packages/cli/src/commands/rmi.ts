import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { familiarName, ImageStore, parseReference, referrerNames } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { type FoundImage, findImage } from '../find-image.ts';
import { storeRoot } from '../store-root.ts';

interface RmiFlags extends CommonFlags {
  readonly force: boolean;
}

const examples = ['boxwright rmi app:old', 'boxwright rmi -f 3f2a9c0b1d7e      all names of an image'];

/** `boxwright rmi`. */
export function rmiCommand(context: CommandContext): Command {
  return newCommand('rmi', 'Removes names of images; boxwright prune then frees the space.', context, examples)
    .argument('<image...>', 'names or ids of images in the local store')
    .option('-f, --force', 'remove all names of an image given by id; names that are not there are no error', false)
    .action((images: readonly string[], flags: RmiFlags) => {
      using store = ImageStore.open(storeRoot(flags.store, context));
      for (const image of images) {
        for (const name of namesToRemove(store, image, flags)) {
          for (const removed of [name, ...lostReferrers(store, name)]) {
            store.untag(removed);
            context.stdout.write(`Untagged: ${escapeForTerminal(familiarName(parseReference(removed)))}\n`);
          }
        }
      }
    });
}

/** Signatures and the like go with the last name of their image. */
function lostReferrers(store: ImageStore, name: string): readonly string[] {
  const descriptor = store.resolve(name);
  const others = store.listTags().filter((tag) => tag.descriptor.digest === descriptor?.digest && tag.name !== name);
  return descriptor === undefined || others.length > 0 ? [] : referrerNames(store, descriptor);
}

function namesToRemove(store: ImageStore, image: string, flags: RmiFlags): readonly string[] {
  let found: FoundImage;
  try {
    found = findImage(store, image);
  } catch (error) {
    if (flags.force && error instanceof BoxwrightError && error.code === 'IMAGE_NOT_FOUND') return [];
    throw error;
  }
  if (found.name !== undefined) return [found.name];
  const names = store.listTags().filter((tag) => tag.descriptor.digest === found.descriptor.digest);
  if (names.length > 1 && !flags.force) {
    throw new BoxwrightError('IMAGE_HAS_NAMES', `image ${escapeForTerminal(image)} has ${names.length} names`, {
      hint: `Remove them one by one, or all with --force: ${names.map((tag) => familiarName(parseReference(tag.name))).join(', ')}`,
    });
  }
  return names.map((tag) => tag.name);
}
