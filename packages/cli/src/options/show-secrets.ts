import { REDACTED, type SecretFinding } from '@boxwright/inspect';
import { Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { writeNote } from '../terminal/write-note.ts';

/** `--show-secrets`, the same in every command that shows images. */
export function showSecretsOption(): Option {
  return new Option('--show-secrets', `print tokens, passwords and keys of the image instead of ${REDACTED}`).default(
    false,
  );
}

/** Says on standard error that the output is not all that the image has. */
export function noteRedacted(findings: readonly SecretFinding[], context: CommandContext): void {
  if (findings.length === 0) return;
  const places = findings.length === 1 ? '1 place' : `${findings.length} places`;
  const text = `what looks like a secret is shown as ${REDACTED} in ${places}; --show-secrets prints it`;
  writeNote({ type: 'note', level: 'info', text }, context);
}
