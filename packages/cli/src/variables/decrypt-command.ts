import { UsageError } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newSubcommand } from '../commander.ts';
import { openVariables, shownPath, variablesPath, writeVariables } from './variables-file.ts';
import { addKeyFlags, type KeyFlags } from './variables-flags.ts';

interface DecryptFlags extends KeyFlags {
  readonly output?: string;
}

const examples = [
  'boxwright variables decrypt                  in its place',
  'boxwright variables decrypt --output -       only show it',
  'boxwright variables decrypt --key-file key secrets.yaml --output /run/secrets/variables.yaml',
];

/** `boxwright variables decrypt`. */
export function decryptCommand(context: CommandContext): Command {
  const command = newSubcommand('decrypt', 'Decrypts a file of variables.', context, examples)
    .argument('[file]', 'default: $BOXWRIGHT_VARIABLES_FILE, boxwright.variables.yaml')
    .option('-o, --output <path>', 'write there, for you alone to read, and not in its place; - is standard output');
  return addKeyFlags(command).action(async (file: string | undefined, flags: DecryptFlags) => {
    const opened = await openVariables({ ...flags, ...(file === undefined ? {} : { file }) }, context);
    if (opened.key === undefined) throw new UsageError(`${opened.name} is not encrypted`);
    if (flags.output === '-') {
      context.stdout.write(opened.text);
      return;
    }
    const path = flags.output === undefined ? opened.path : variablesPath(flags.output, context);
    await writeVariables({ path, text: opened.text, key: undefined });
    context.stdout.write(`Decrypted ${opened.name}${path === opened.path ? '' : ` to ${shownPath(path, context)}`}\n`);
  });
}
