import { UsageError } from '@boxwright/errors';
import { canonicalName, ImageStore, parseReference, withDefaultTag } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { findImage } from '../find-image.ts';
import { storeRoot } from '../store-root.ts';

const examples = ['boxwright tag app:latest ghcr.io/me/app:1.2', 'boxwright tag 3f2a9c0b1d7e app:old'];

/** `boxwright tag`. */
export function tagCommand(context: CommandContext): Command {
  return newCommand('tag', 'Gives an image another name; a name that is taken moves to it.', context, examples)
    .argument('<image>', 'name or id of an image in the local store')
    .argument('<name>', 'the new name, with an optional :TAG')
    .action((image: string, name: string, flags: CommonFlags) => {
      const reference = withDefaultTag(parseReference(name));
      if (reference.digest !== undefined) throw new UsageError(`${name}: a new name cannot have a digest`);
      using store = ImageStore.open(storeRoot(flags.store, context));
      store.tag(canonicalName(reference), findImage(store, image).descriptor);
    });
}
