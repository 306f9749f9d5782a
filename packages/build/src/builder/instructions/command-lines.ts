import { randomBytes } from 'node:crypto';
import { checkedLine, parseLine } from './checked-line.ts';
import { checkCharacters, checkText, flag, jsonArray } from './dockerfile-text.ts';
import { instructionError } from './instruction-error.ts';
import { mountFlag, type RunMountOptions } from './run-mount-flag.ts';

/**
 * What a container or a RUN starts: a list is the program with its arguments and no shell (the exec form), a string is
 * for the shell of the image.
 */
export type CommandText = string | readonly string[];

/** Flags of RUN. */
export interface RunOptions {
  readonly mounts?: readonly RunMountOptions[];
  readonly network?: 'default' | 'host' | 'none';
}

/**
 * A RUN. A script of several lines, or one that would not be read as it is meant (it starts with `--` or ends with a
 * backslash), is written as a heredoc: engines without BuildKit do not know those.
 *
 * @throws BoxwrightError INSTRUCTION_INVALID
 */
export function runLine(command: CommandText, options: RunOptions = {}): string {
  const flags = (options.mounts ?? []).map(mountFlag);
  if (options.network !== undefined) flags.push(flag('RUN', 'network', options.network));
  const start = ['RUN', ...flags].join(' ');
  if (typeof command !== 'string') {
    if (command.length === 0) throw instructionError('RUN', '', 'there is no command');
    return checkedLine('run', `${start} ${jsonArray('RUN', command)}`);
  }
  checkCharacters('RUN', command);
  if (command.trim() === '') throw instructionError('RUN', command, 'there is no command');
  const trimmed = command.replace(/^[ \t]+|[ \t]+$/g, '');
  const line = `${start} ${trimmed}`;
  return isReadAsShell(line, trimmed) ? line : checkedLine('run', heredoc(start, command));
}

/** True when the parser takes the line's command for this text, whole. */
function isReadAsShell(line: string, command: string): boolean {
  // With a backslash at the end, the next line of the file would be part of it.
  if (/[\n\r]|\\$/.test(command)) return false;
  try {
    const instruction = parseLine('run', line);
    if (instruction.kind !== 'run' || instruction.form !== 'shell') return false;
    return instruction.command === command && instruction.heredocs.length === 0;
  } catch {
    return false;
  }
}

/** The script as it is, between lines that it does not have itself. */
function heredoc(start: string, script: string): string {
  if (/\r(?!\n)/.test(script)) throw instructionError('RUN', script, 'it has a carriage return within a line');
  const lines = new Set(script.split(/\r?\n/));
  let delimiter = 'EOF';
  while (lines.has(delimiter)) delimiter = `EOF_${randomBytes(4).toString('hex')}`;
  return `${start} <<${delimiter}\n${script}${script.endsWith('\n') ? '' : '\n'}${delimiter}`;
}

/** `CMD ["node", "main.js"]`. @throws BoxwrightError INSTRUCTION_INVALID */
export function cmdLine(command: CommandText): string {
  return startLine('CMD', 'cmd', command);
}

/** `ENTRYPOINT ["/bin/app"]`. @throws BoxwrightError INSTRUCTION_INVALID */
export function entrypointLine(command: CommandText): string {
  return startLine('ENTRYPOINT', 'entrypoint', command);
}

function startLine(name: string, kind: 'cmd' | 'entrypoint', command: CommandText): string {
  const line = `${name} ${commandArguments(name, command)}`;
  const read = parseLine(kind, line);
  if (typeof command === 'string' && !('command' in read && read.command === command.trim())) {
    throw notAShellLine(name, command);
  }
  return line;
}

/** `SHELL ["/bin/bash", "-c"]`. @throws BoxwrightError INSTRUCTION_INVALID */
export function shellLine(command: readonly string[]): string {
  if (command.length === 0) throw instructionError('SHELL', '', 'there is no command');
  return checkedLine('shell', `SHELL ${jsonArray('SHELL', command)}`);
}

/** How Docker checks that a container is well. Durations are milliseconds, or text such as `30s`, `1m30s`. */
export interface HealthcheckOptions {
  readonly interval?: number | string;
  readonly timeout?: number | string;
  readonly startPeriod?: number | string;
  readonly startInterval?: number | string;
  /** So many failures in a row mean unhealthy. */
  readonly retries?: number;
}

/** `HEALTHCHECK --interval=30s CMD ["curl", "-f", "localhost"]`, or NONE. @throws BoxwrightError INSTRUCTION_INVALID */
export function healthcheckLine(command: CommandText | null, options: HealthcheckOptions = {}): string {
  if (command === null) return checkedLine('healthcheck', 'HEALTHCHECK NONE');
  const durations = [
    ['interval', options.interval],
    ['timeout', options.timeout],
    ['start-period', options.startPeriod],
    ['start-interval', options.startInterval],
    ['retries', options.retries === undefined ? undefined : String(options.retries)],
  ] as const;
  const flags = durations.flatMap(([name, value]) =>
    value === undefined ? [] : [flag('HEALTHCHECK', name, typeof value === 'number' ? `${value}ms` : value)],
  );
  const line = ['HEALTHCHECK', ...flags, 'CMD', commandArguments('HEALTHCHECK', command)].join(' ');
  const read = parseLine('healthcheck', line);
  if (typeof command === 'string' && !('test' in read && read.test[1] === command.trim())) {
    throw notAShellLine('HEALTHCHECK', command);
  }
  return line;
}

function commandArguments(name: string, command: CommandText): string {
  if (typeof command !== 'string') return jsonArray(name, command);
  checkText(name, command);
  if (command.trim() === '' || /\\[ \t]*$/.test(command)) throw notAShellLine(name, command);
  return command.trim();
}

function notAShellLine(name: string, command: string): Error {
  return instructionError(
    name,
    command,
    command.trim() === '' ? 'there is no command' : 'as a line of a Dockerfile it would mean something else',
    'Give the command as a list: the program, then its arguments.',
  );
}
