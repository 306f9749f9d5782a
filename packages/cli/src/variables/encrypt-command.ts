import { variablesContent } from '@boxwright/deploy';
import { UsageError } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newSubcommand } from '../commander.ts';
import { newKey } from './find-key.ts';
import { openVariables, writeVariables } from './variables-file.ts';
import { addKeyFlags, type KeyFlags } from './variables-flags.ts';

const examples = [
  'boxwright variables encrypt                         with a passphrase that is asked for',
  'openssl rand -base64 32 > key && boxwright variables encrypt --key-file key',
  'BOXWRIGHT_VARIABLES_PASSPHRASE=… boxwright variables encrypt deploy/boxwright.variables.yaml',
];

/** `boxwright variables encrypt`. */
export function encryptCommand(context: CommandContext): Command {
  const command = newSubcommand(
    'encrypt',
    'Encrypts a file of variables in its place: AES-256-GCM, with a key or with a passphrase (scrypt).',
    context,
    examples,
  ).argument('[file]', 'default: $BOXWRIGHT_VARIABLES_FILE, boxwright.variables.yaml');
  return addKeyFlags(command).action(async (file: string | undefined, flags: KeyFlags) => {
    const opened = await openVariables({ ...flags, ...(file === undefined ? {} : { file }) }, context);
    if (opened.key !== undefined) {
      throw new UsageError(`${opened.name} is encrypted already`, {
        hint: "'boxwright variables rekey' changes its key.",
      });
    }
    await variablesContent(opened.text, opened.path);
    const key = await newKey(flags, context, { isNew: false });
    await writeVariables({ ...opened, key });
    context.stdout.write(`Encrypted ${opened.name} with a ${key.kind}\n`);
  });
}
