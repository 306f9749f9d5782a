import { type PlainObject, type PlainValue, variablesContent } from '@boxwright/deploy';
import { escapeForTerminal, safeJson } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { formatOption, newSubcommand } from '../commander.ts';
import { openVariables } from './variables-file.ts';
import { addFileFlags, type FileFlags } from './variables-flags.ts';

interface ListFlags extends FileFlags {
  readonly showValues: boolean;
  readonly format: 'table' | 'json';
}

const examples = [
  'boxwright variables list',
  'boxwright variables list --format json',
  'boxwright variables list --show-values      passwords too',
];

/** `boxwright variables list`. */
export function listCommand(context: CommandContext): Command {
  const command = newSubcommand(
    'list',
    'Lists the names of variables and blocks, and of the fields of blocks.',
    context,
    examples,
  )
    .option('--show-values', 'print what they hold, in clear', false)
    .addOption(formatOption());
  return addFileFlags(command).action(async (flags: ListFlags) => {
    const { text, path } = await openVariables(flags, context);
    const { variables, blocks } = await variablesContent(text, path);
    const { showValues } = flags;
    if (flags.format === 'json') {
      const list = {
        variables: showValues ? Object.fromEntries(variables) : [...variables.keys()],
        blocks: Object.fromEntries([...blocks].map(([name, data]) => [name, showValues ? data : Object.keys(data)])),
      };
      context.stdout.write(`${safeJson(list, 2)}\n`);
      return;
    }
    const rows: (readonly [kind: string, name: string, holds: string])[] = [
      ...[...variables].map(([name, value]) => ['variable', name, showValues ? valueText(value) : ''] as const),
      ...[...blocks].map(([name, data]) => ['block', name, showValues ? fieldsText(data) : fieldNames(data)] as const),
    ];
    const width = Math.max(0, ...rows.map(([, name]) => name.length)) + 2;
    for (const [kind, name, holds] of rows) {
      context.stdout.write(`${escapeForTerminal(`${kind.padEnd(10)}${name.padEnd(width)}${holds}`.trimEnd())}\n`);
    }
  });
}

function fieldNames(data: PlainObject): string {
  return Object.keys(data).join(', ');
}

function fieldsText(data: PlainObject): string {
  return Object.entries(data)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(', ');
}

function valueText(value: PlainValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
