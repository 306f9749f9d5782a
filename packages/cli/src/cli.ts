import { closestMatch, escapeForTerminal, UsageError } from '@boxwright/errors';
import type { CommandContext } from './command-context.ts';
import { commandTable } from './command-table.ts';
import { InterruptedError } from './interrupted.ts';
import { type ErrorFormat, renderError } from './terminal/render-error.ts';

/**
 * Runs one command line (without the program's name) and returns the exit code: the command's own one (`run`, `doctor`),
 * 0, 1 for a failure, 2 for a wrong call, 128 + N after signal N. Every error is printed here.
 */
export async function runCli(argv: readonly string[], context: CommandContext): Promise<number> {
  let exitCode: number | undefined;
  const setExitCode = (code: number): void => {
    exitCode = code;
    context.setExitCode(code);
  };
  try {
    await dispatch(argv, { ...context, setExitCode });
    // Where another process has done the work, it has said all there is to say about a signal.
    if (exitCode === undefined) context.signal.throwIfAborted();
    return exitCode ?? 0;
  } catch (error) {
    // What fails while an interrupted command cleans up is a consequence: the signal is the cause.
    const shown = context.signal.reason instanceof InterruptedError ? context.signal.reason : error;
    const text = renderError(shown, {
      format: errorFormat(argv),
      colors: context.colors,
      debug: Boolean(context.env['BOXWRIGHT_DEBUG']),
    });
    context.stderr.write(text);
    return exitCodeOf(shown);
  }
}

async function dispatch(argv: readonly string[], context: CommandContext): Promise<void> {
  const { storeFlags, rest } = leadingFlags(argv);
  const [name, ...args] = rest;
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && args.length === 0)) {
    context.stdout.write(overview());
    return;
  }
  if (name === 'help') return dispatch([...args.slice(0, 1), '--help'], context);
  const entry = commandTable.get(name);
  if (entry === undefined) throw unknownCommand(name);
  const { runCommandLine } = await import('./commander.ts');
  await runCommandLine((await entry.load())(context), [...storeFlags, ...args]);
}

/** `boxwright --store DIR images` is `boxwright images --store DIR`. */
function leadingFlags(argv: readonly string[]): { storeFlags: string[]; rest: readonly string[] } {
  const [first, second] = argv;
  if (first?.startsWith('--store=')) return { storeFlags: [first], rest: argv.slice(1) };
  if (first === '--store' && second !== undefined) return { storeFlags: [first, second], rest: argv.slice(2) };
  return { storeFlags: [], rest: argv };
}

function unknownCommand(name: string): UsageError {
  const shown = escapeForTerminal(name);
  const nearest = closestMatch(name, commandTable.keys());
  const message = name.startsWith('-') ? `unknown option '${shown}'` : `unknown command '${shown}'`;
  return new UsageError(message, {
    hint: nearest === undefined ? 'boxwright --help lists the commands.' : `Did you mean 'boxwright ${nearest}'?`,
  });
}

function overview(): string {
  const commands = [...commandTable].map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}\n`).join('');
  return `Usage: boxwright [--store DIR] COMMAND [OPTIONS]

Builds, ships and explains container images without a daemon.

Commands:
${commands}
Options:
  --store DIR  directory of the local store (default: $BOXWRIGHT_HOME, else the XDG data directory)
  -V, --version
  -h, --help

boxwright COMMAND --help shows a command's options and examples.
`;
}

/** Errors are printed as JSON where the caller asked for JSON results. */
function errorFormat(argv: readonly string[]): ErrorFormat {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  const json = options.some(
    (option, index) =>
      option === '--format=json' ||
      option === '--progress=rawjson' ||
      (option === 'json' && options[index - 1] === '--format') ||
      (option === 'rawjson' && options[index - 1] === '--progress'),
  );
  return json ? 'json' : 'text';
}

function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return error.exitCode;
  return error instanceof Error && 'code' in error && error.code === 'USAGE' ? 2 : 1;
}
