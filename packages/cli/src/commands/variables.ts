import { closestMatch, escapeForTerminal, UsageError } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newCommand } from '../commander.ts';
import { blockCommand } from '../variables/block-command.ts';
import { decryptCommand } from '../variables/decrypt-command.ts';
import { encryptCommand } from '../variables/encrypt-command.ts';
import { listCommand } from '../variables/list-command.ts';
import { rekeyCommand } from '../variables/rekey-command.ts';
import { removeCommand } from '../variables/remove-command.ts';
import { setCommand } from '../variables/set-command.ts';

const examples = [
  'boxwright variables set base_tag 3.12',
  'printenv TOKEN | boxwright variables block docker-registry-credentials/dev-registry \\',
  '      --username robot --password-stdin --registry-url registry.example.com',
  'boxwright variables encrypt',
  'boxwright variables list',
];

/** `boxwright variables`. */
export function variablesCommand(context: CommandContext): Command {
  const command = newCommand(
    'variables',
    'Edits boxwright.variables.yaml, from which deployments get variables and blocks, plain or encrypted.',
    context,
    examples,
  );
  for (const make of [
    setCommand,
    blockCommand,
    listCommand,
    removeCommand,
    encryptCommand,
    decryptCommand,
    rekeyCommand,
  ]) {
    command.addCommand(make(context));
  }
  return command
    .usage('COMMAND [OPTIONS]')
    .allowExcessArguments()
    .action((_flags, { args: [name] }: Command) => {
      const known = command.commands.map((each) => each.name());
      const nearest = name === undefined ? undefined : closestMatch(name, known);
      throw new UsageError(
        name === undefined ? 'which command? none was given' : `unknown command 'variables ${escapeForTerminal(name)}'`,
        {
          hint:
            nearest === undefined ? `One of ${known.join(', ')}.` : `Did you mean 'boxwright variables ${nearest}'?`,
        },
      );
    });
}
