import { UsageError } from '@boxwright/errors';
import { Command, CommanderError, Option } from 'commander';
import type { CommandContext } from './command-context.ts';

/** Flags that every command has. */
export interface CommonFlags {
  readonly store?: string;
}

/**
 * A command whose help and errors go where the context says, with the flags that every command has and examples at
 * the end of its help.
 */
export function newCommand(
  name: string,
  description: string,
  context: CommandContext,
  examples: readonly string[],
): Command {
  return configured(new Command(`boxwright ${name}`), description, context, examples).option(
    '--store <dir>',
    'directory of the local store',
  );
}

/** A command below another one (`boxwright variables set`), for its `addCommand`. */
export function newSubcommand(
  name: string,
  description: string,
  context: CommandContext,
  examples: readonly string[],
): Command {
  return configured(new Command(name), description, context, examples);
}

function configured(
  command: Command,
  description: string,
  context: CommandContext,
  examples: readonly string[],
): Command {
  return command
    .description(description)
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}\n`).join('')}`)
    .exitOverride()
    .configureHelp({ helpWidth: Math.min(context.stdout.columns ?? 100, 120), optionDescription })
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      // Errors are thrown and printed in our own form.
      writeErr: () => {},
      outputError: () => {},
    });
}

/** Without the defaults that mean "nothing given". */
function optionDescription(option: Option): string {
  const choices = option.argChoices === undefined ? [] : [option.argChoices.join(', ')];
  const fallback = typeof option.defaultValue === 'string' ? [`default: ${option.defaultValue}`] : [];
  const extra = [...choices, ...fallback].join('; ');
  return extra === '' ? option.description : `${option.description} (${extra})`;
}

/** Parses and runs. @throws UsageError for what commander refuses, and whatever the command throws. */
export async function runCommandLine(command: Command, args: readonly string[]): Promise<void> {
  try {
    await command.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    const [message = '', ...more] = error.message.replace(/^error: /, '').split('\n');
    const help = `'${command.name()} --help' shows the options.`;
    throw new UsageError(message, { hint: more.length > 0 ? more.join(' ').replace(/^\((.*)\)$/, '$1') : help });
  }
}

/** A flag that docker or buildx has and Boxwright has not: asking for it gets a clear answer instead of "unknown". */
export function refuseFlag(command: Command, flags: string, hint: string): void {
  const option = new Option(flags).hideHelp();
  command.addOption(option);
  command.on(`option:${option.name()}`, () => {
    throw new UsageError(`${command.name()} has no ${option.long ?? option.short}`, { hint });
  });
}

/** For options that may be repeated. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** `--format table|json`. */
export function formatOption(description = 'how to print'): Option {
  return new Option('--format <format>', description).choices(['table', 'json']).default('table');
}
