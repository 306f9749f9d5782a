import { type PlainValue, toPlainValue } from '@boxwright/deploy';
import { UsageError } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newSubcommand } from '../commander.ts';
import { readValue } from './read-value.ts';
import { changeVariables } from './variables-file.ts';
import { addFileFlags, type FileFlags } from './variables-flags.ts';
import { parseVariableName, placeText } from './variables-place.ts';

interface SetFlags extends FileFlags {
  readonly json: boolean;
}

const examples = [
  'boxwright variables set base_tag 1.10                always text: not the number 1.1',
  'boxwright variables set --json regions \'["eu", 3]\'   list, mapping, number, true, false',
  'boxwright variables set motto < motto.txt            from standard input',
];

/** `boxwright variables set`. */
export function setCommand(context: CommandContext): Command {
  const command = newSubcommand(
    'set',
    'Sets a variable, for {{ prefect.variables.NAME }}. Without VALUE it is read from standard input.',
    context,
    examples,
  )
    .argument('<name>')
    .argument('[value]', 'not for secrets: other users of this machine can see it while the command runs')
    .option('--json', 'the value is JSON', false);
  return addFileFlags(command).action(async (name: string, given: string | undefined, flags: SetFlags) => {
    const place = parseVariableName(name);
    const text = given ?? (await readValue('the value', context));
    const { name: file } = await changeVariables(flags, context, { place, value: flags.json ? parseJson(text) : text });
    context.stdout.write(`Set ${placeText(place)} in ${file}\n`);
  });
}

function parseJson(text: string): PlainValue {
  try {
    return toPlainValue(JSON.parse(text));
  } catch {
    // The cause would show the value.
    throw new UsageError('the value is no JSON', { hint: 'Without --json it is taken as text.' });
  }
}
