import { editVariables, variablesContent } from '@boxwright/deploy';
import { BoxwrightError, closestMatch } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newSubcommand } from '../commander.ts';
import { openVariables, writeVariables } from './variables-file.ts';
import { addFileFlags, type FileFlags } from './variables-flags.ts';
import { parseBlockName, parseVariableName, placeText } from './variables-place.ts';

const examples = [
  'boxwright variables remove base_tag',
  'boxwright variables remove docker-registry-credentials/dev-registry',
];

/** `boxwright variables remove`. */
export function removeCommand(context: CommandContext): Command {
  const command = newSubcommand('remove', 'Removes a variable (NAME) or a block (TYPE/NAME).', context, examples);
  return addFileFlags(command.argument('<name>', 'NAME, or TYPE/NAME')).action(
    async (name: string, flags: FileFlags) => {
      const place = name.includes('/') ? parseBlockName(name) : parseVariableName(name);
      const opened = await openVariables(flags, context);
      const { variables, blocks } = await variablesContent(opened.text, opened.path);
      const known = [...(place.kind === 'block' ? blocks : variables).keys()];
      if (!known.includes(name)) {
        const nearest = closestMatch(name, known);
        throw new BoxwrightError('VARIABLE_UNKNOWN', `${opened.name} has no ${placeText(place)}`, {
          hint: nearest === undefined ? "'boxwright variables list' shows the names." : `Did you mean ${nearest}?`,
        });
      }
      const text = await editVariables(opened.text, opened.path, { place, value: undefined });
      await writeVariables({ ...opened, text });
      context.stdout.write(`Removed ${placeText(place)} from ${opened.name}\n`);
    },
  );
}
