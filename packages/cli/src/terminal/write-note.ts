import { escapeForTerminal } from '@boxwright/errors';
import type { CommandContext } from '../command-context.ts';
import type { RegistryNote } from '../registry-note.ts';

/** A note of a registry on standard error, for commands without progress. */
export function writeNote({ level, text }: RegistryNote, { stderr }: Pick<CommandContext, 'stderr'>): void {
  stderr.write(`${level === 'info' ? 'note' : level}: ${escapeForTerminal(text)}\n`);
}
