import { type PlainValue, variablesContent } from '@boxwright/deploy';
import { UsageError } from '@boxwright/errors';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { collect, newSubcommand, refuseFlag } from '../commander.ts';
import { readValue } from './read-value.ts';
import { changeVariables } from './variables-file.ts';
import { addFileFlags, type FileFlags } from './variables-flags.ts';
import { parseBlockName, placeText } from './variables-place.ts';

interface BlockFlags extends FileFlags {
  readonly username?: string;
  readonly registryUrl?: string;
  readonly passwordStdin: boolean;
  readonly valueStdin: boolean;
  readonly field: readonly string[];
}

const examples = [
  'boxwright variables block docker-registry-credentials/dev-registry --username robot --password-stdin \\',
  '      --registry-url registry.example.com < token.txt',
  'boxwright variables block docker-registry-credentials/dev-registry --password-stdin   another password only',
  'printenv NPM_TOKEN | boxwright variables block secret/npm-token --value-stdin',
  'boxwright variables block json/settings --field mode=fast --field size=3',
];

/** `boxwright variables block`. */
export function blockCommand(context: CommandContext): Command {
  const command = newSubcommand(
    'block',
    'Sets fields of a block, for {{ prefect.blocks.TYPE.NAME }}. Fields that are not named stay as they are.',
    context,
    examples,
  )
    .argument('<type/name>')
    .option('-u, --username <name>', 'the field username')
    .option('--password-stdin', 'read the field password from standard input, or ask for it on a terminal', false)
    .option('--registry-url <url>', 'the field registry_url: host of the registry')
    .option('--field <name=value>', 'another field, as text; may be repeated', collect, [])
    .option('--value-stdin', 'read the only value of a block such as secret, string', false);
  refuseFlag(command, '-p, --password <password>', 'Everybody on this machine could read it: use --password-stdin.');
  return addFileFlags(command).action(async (name: string, flags: BlockFlags) => {
    const place = parseBlockName(name);
    const value = await blockValue(flags, context);
    const { name: file, text, path } = await changeVariables(flags, context, { place, value });
    context.stdout.write(`Set ${placeText(place)} in ${file}\n`);
    const lacking = await missingFields(name, text, path);
    if (lacking.length > 0) context.stderr.write(`warning: ${placeText(place)} has no ${lacking.join(', no ')}\n`);
  });
}

/** @throws UsageError for flags that say nothing, or two things at once */
async function blockValue(flags: BlockFlags, context: CommandContext): Promise<PlainValue> {
  const { username, registryUrl, passwordStdin, valueStdin, field } = flags;
  const named = (name: string, value: string | undefined): [string, string][] =>
    value === undefined ? [] : [[name, value]];
  const others = field.map(parseField);
  if (valueStdin) {
    if (passwordStdin || others.length > 0 || username !== undefined || registryUrl !== undefined) {
      throw new UsageError('--value-stdin is for blocks without fields');
    }
    return await readValue('the value', context);
  }
  const fields = new Map<string, string>([
    ...named('username', username),
    ...named('password', passwordStdin ? await readValue('the password', context) : undefined),
    ...named('registry_url', registryUrl),
    ...others,
  ]);
  if (fields.size > 0) return Object.fromEntries(fields);
  throw new UsageError('there is nothing to set', {
    hint: 'Use --username, --password-stdin, --registry-url, --field or --value-stdin.',
  });
}

function parseField(text: string): [name: string, value: string] {
  const [, name, value] = /^([\p{L}\p{N}_-]+)=(.*)$/su.exec(text) ?? [];
  // The text may hold a secret: it is not shown.
  if (name === undefined || value === undefined) throw new UsageError('--field takes NAME=VALUE');
  return [name, value];
}

/** What a login cannot do without. */
async function missingFields(name: string, text: string, path: string): Promise<readonly string[]> {
  if (!name.startsWith('docker-registry-credentials/')) return [];
  const data = (await variablesContent(text, path)).blocks.get(name) ?? {};
  return ['username', 'password', 'registry_url'].filter((field) => data[field] === undefined);
}
