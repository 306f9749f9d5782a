import { UsageError } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newSubcommand } from '../commander.ts';
import { newKey } from './find-key.ts';
import { openVariables, writeVariables } from './variables-file.ts';
import { addKeyFlags, type KeyFlags } from './variables-flags.ts';

interface RekeyFlags extends KeyFlags {
  readonly newKeyFile?: string;
  readonly newPassphraseFile?: string;
}

const examples = [
  'boxwright variables rekey                                    both passphrases are asked for',
  'boxwright variables rekey --passphrase-file old --new-passphrase-file new',
  'boxwright variables rekey --passphrase-file old --new-key-file key',
];

/** `boxwright variables rekey`. */
export function rekeyCommand(context: CommandContext): Command {
  const command = addKeyFlags(
    newSubcommand('rekey', 'Encrypts a file of variables with another key or passphrase.', context, examples).argument(
      '[file]',
      'default: $BOXWRIGHT_VARIABLES_FILE, boxwright.variables.yaml',
    ),
  )
    .option(
      '--new-key-file <path>',
      'file with the new key (default: $BOXWRIGHT_VARIABLES_NEW_KEY, $BOXWRIGHT_VARIABLES_NEW_KEY_FILE)',
    )
    .option(
      '--new-passphrase-file <path>',
      'file with the new passphrase (default: $BOXWRIGHT_VARIABLES_NEW_PASSPHRASE, ' +
        '$BOXWRIGHT_VARIABLES_NEW_PASSPHRASE_FILE; else asked for on a terminal)',
    );
  return command.action(async (file: string | undefined, flags: RekeyFlags) => {
    const opened = await openVariables({ ...flags, ...(file === undefined ? {} : { file }) }, context);
    if (opened.key === undefined) {
      throw new UsageError(`${opened.name} is not encrypted`, { hint: "'boxwright variables encrypt' does that." });
    }
    const { newKeyFile, newPassphraseFile } = flags;
    const key = await newKey(
      {
        ...(newKeyFile === undefined ? {} : { keyFile: newKeyFile }),
        ...(newPassphraseFile === undefined ? {} : { passphraseFile: newPassphraseFile }),
      },
      context,
      { isNew: true },
    );
    await writeVariables({ ...opened, key });
    context.stdout.write(`Encrypted ${opened.name} with another ${key.kind}\n`);
  });
}
