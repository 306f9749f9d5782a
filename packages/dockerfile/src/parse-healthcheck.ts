import { type Flags, parseFlags } from './flags.ts';
import { skipSpace } from './go-space.ts';
import type { HealthcheckInstruction } from './instructions.ts';
import { commandArguments } from './parse-arguments.ts';
import { parseDuration } from './quantities.ts';
import { baseOf, fault, type Statement } from './statement.ts';
import { splitWords } from './words.ts';

/** Docker refuses shorter intervals. */
const minDurationNs = 1_000_000;

/** HEALTHCHECK: https://docs.docker.com/reference/dockerfile/#healthcheck */
export function parseHealthcheck(statement: Statement): HealthcheckInstruction {
  const type = splitWords(statement.rest)[0];
  if (type === undefined) throw fault(statement, 'HEALTHCHECK needs CMD or NONE');
  const text = statement.rest.slice(skipSpace(statement.rest, type.end));
  const place = { start: statement.restStart, end: statement.restStart + type.end };
  if (type.text.toUpperCase() === 'NONE') {
    if (text !== '') throw fault(statement, 'nothing may follow HEALTHCHECK NONE', place);
    return { kind: 'healthcheck', ...baseOf(statement), none: true, test: ['NONE'], form: 'exec' };
  }
  const flags = parseFlags(statement, {
    interval: 'string',
    timeout: 'string',
    'start-period': 'string',
    'start-interval': 'string',
    retries: 'string',
  });
  if (type.text.toUpperCase() !== 'CMD') {
    throw fault(statement, `HEALTHCHECK takes CMD or NONE, not ${type.text}`, place);
  }
  const { form, command, args } = commandArguments(statement, text);
  if (form === 'exec' ? args.length === 0 : command === '') {
    throw fault(statement, 'HEALTHCHECK CMD needs a command', place);
  }
  return {
    kind: 'healthcheck',
    ...baseOf(statement),
    none: false,
    test: form === 'exec' ? ['CMD', ...args] : ['CMD-SHELL', command],
    form,
    ...durations(statement, flags),
    ...retries(statement, flags),
  };
}

function durations(
  statement: Statement,
  flags: Flags,
): Pick<HealthcheckInstruction, 'intervalNs' | 'timeoutNs' | 'startPeriodNs' | 'startIntervalNs'> {
  const intervalNs = duration(statement, flags, 'interval');
  const timeoutNs = duration(statement, flags, 'timeout');
  const startPeriodNs = duration(statement, flags, 'start-period');
  const startIntervalNs = duration(statement, flags, 'start-interval');
  return {
    ...(intervalNs === undefined ? {} : { intervalNs }),
    ...(timeoutNs === undefined ? {} : { timeoutNs }),
    ...(startPeriodNs === undefined ? {} : { startPeriodNs }),
    ...(startIntervalNs === undefined ? {} : { startIntervalNs }),
  };
}

function duration(statement: Statement, flags: Flags, name: string): number | undefined {
  const text = flags.string(name);
  if (text === undefined || text === '') return undefined;
  const value = parseDuration(text);
  if (value === undefined) {
    throw fault(statement, `invalid duration "${text}" for --${name}`, flags.word(name), {
      hint: 'Write a number and a unit: 500ms, 30s, 5m, 1h30m.',
    });
  }
  if (value !== 0 && value < minDurationNs) {
    throw fault(statement, `--${name} is less than 1ms`, flags.word(name));
  }
  return value;
}

function retries(statement: Statement, flags: Flags): Pick<HealthcheckInstruction, 'retries'> {
  const text = flags.string('retries');
  if (text === undefined || text === '') return {};
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || Math.abs(value) > 0x7fff_ffff) {
    throw fault(statement, `invalid number "${text}" for --retries`, flags.word('retries'));
  }
  if (value < 0) throw fault(statement, `--retries is negative: ${value}`, flags.word('retries'));
  return { retries: value };
}
