import { resolve } from 'node:path';
import { type KeyFinder, type VariablesKey, variablesKeyFrom } from '@boxwright/deploy';
import { UsageError } from '@boxwright/errors';
import type { CommandContext } from '../command-context.ts';
import { promptLine } from '../terminal/prompt.ts';
import type { KeyFlags } from './variables-flags.ts';

const prefix = 'BOXWRIGHT_VARIABLES_';
const newPrefix = 'BOXWRIGHT_VARIABLES_NEW_';

/** The key that flags or environment name; undefined where they name none. @throws BoxwrightError VARIABLES_LOCKED */
export function givenKey(
  flags: KeyFlags,
  context: CommandContext,
  kind?: VariablesKey['kind'],
): VariablesKey | undefined {
  return keyOf(flags, context, prefix, kind);
}

/** Finds the key of a file that is there: what was given, else what somebody types on the terminal. */
export function keyFinder(flags: KeyFlags, context: CommandContext): KeyFinder {
  return async (kind, file) => {
    const given = givenKey(flags, context, kind);
    if (given !== undefined || kind === 'key' || !context.stdin.isTTY) return given;
    return { kind, passphrase: await ask(`Passphrase of ${file}: `, context) };
  };
}

/**
 * The key for a file that is to be encrypted: what was given, else a passphrase that is typed twice.
 *
 * @param isNew true for the key that takes the place of another one
 * @throws UsageError without a terminal to ask on; BoxwrightError VARIABLES_LOCKED
 */
export async function newKey(
  flags: KeyFlags,
  context: CommandContext,
  { isNew }: { readonly isNew: boolean },
): Promise<VariablesKey> {
  const names = isNew ? newPrefix : prefix;
  const given = keyOf(flags, context, names);
  if (given !== undefined) return given;
  const options = isNew ? '--new-passphrase-file or --new-key-file' : '--passphrase-file or --key-file';
  if (!context.stdin.isTTY) {
    throw new UsageError('there is no terminal to ask for a passphrase on', {
      hint: `Use ${options}, or set ${names}PASSPHRASE or ${names}KEY.`,
    });
  }
  const passphrase = await ask(isNew ? 'New passphrase: ' : 'Passphrase: ', context);
  if ((await ask('The same again: ', context)) !== passphrase) throw new UsageError('these are two passphrases');
  return { kind: 'passphrase', passphrase };
}

/** A file that a flag names counts more than the environment. */
function keyOf(
  { keyFile, passphraseFile }: KeyFlags,
  { env, cwd }: CommandContext,
  names: string,
  kind?: VariablesKey['kind'],
): VariablesKey | undefined {
  if (keyFile === undefined && passphraseFile === undefined) return variablesKeyFrom(env, kind, names);
  const files = {
    ...(keyFile === undefined ? {} : { [`${names}KEY_FILE`]: resolve(cwd, keyFile) }),
    ...(passphraseFile === undefined ? {} : { [`${names}PASSPHRASE_FILE`]: resolve(cwd, passphraseFile) }),
  };
  const key = variablesKeyFrom(files, kind, names);
  if (key === undefined && kind === undefined) throw new UsageError('the file with the key or passphrase is empty');
  return key;
}

async function ask(question: string, { stdin, stderr, signal }: CommandContext): Promise<string> {
  const answer = await promptLine(question, { input: stdin.open(), output: stderr, signal }, { hidden: true });
  if (answer === '') throw new UsageError('the passphrase is empty');
  return answer;
}
