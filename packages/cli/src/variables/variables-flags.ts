import type { Command } from 'commander';

/** How a file of variables is opened. */
export interface KeyFlags {
  readonly keyFile?: string;
  readonly passphraseFile?: string;
}

/** Which file, and how it is opened. */
export interface FileFlags extends KeyFlags {
  readonly file?: string;
}

/** Declares `--file` and the flags of {@link addKeyFlags}. */
export function addFileFlags(command: Command): Command {
  return addKeyFlags(
    command.option(
      '-f, --file <path>',
      'file of variables (default: $BOXWRIGHT_VARIABLES_FILE, boxwright.variables.yaml)',
    ),
  );
}

/** Declares `--key-file` and `--passphrase-file`. */
export function addKeyFlags(command: Command): Command {
  return command
    .option('--key-file <path>', 'file with the key (default: $BOXWRIGHT_VARIABLES_KEY, $BOXWRIGHT_VARIABLES_KEY_FILE)')
    .option(
      '--passphrase-file <path>',
      'file with the passphrase (default: $BOXWRIGHT_VARIABLES_PASSPHRASE, $BOXWRIGHT_VARIABLES_PASSPHRASE_FILE; ' +
        'else asked for on a terminal)',
    );
}
