import { type Instruction, parseDuration } from '@boxwright/dockerfile';
import type { Healthcheck } from '@boxwright/oci';
import type { NameValue } from '../instructions/index.ts';
import { escapeWord, hasControls, jsonWords, quoteValue } from './quote.ts';
import { firstThatReadsBack, sameWords } from './read-back.ts';

/** ENV, LABEL and ARG; undefined for values that no Dockerfile can hold (line breaks), and names that are none. */
export function pairsText(kind: 'ENV' | 'LABEL' | 'ARG', pairs: readonly NameValue[]): string | undefined {
  if (pairs.length === 0) return undefined;
  const words = pairs.map(({ name, value }) => {
    const quoted = kind === 'ARG' ? name : quoteValue(name);
    return value === undefined ? quoted : `${quoted}=${quoteValue(value)}`;
  });
  const line = `${kind} ${words.join(' ')}`;
  // Long ones are easier to read and to compare with one pair on a line.
  const lines = `${kind} ${words.join(` \\\n${' '.repeat(kind.length + 1)}`)}`;
  return firstThatReadsBack(line.length > 100 && pairs.length > 1 ? [lines, line] : [line], (instruction) => {
    const read = pairsOf(instruction);
    return (
      read?.length === pairs.length &&
      pairs.every(({ name, value }, index) => read[index]?.name === name && read[index]?.value === value)
    );
  });
}

function pairsOf(instruction: Instruction): readonly NameValue[] | undefined {
  if (instruction.kind === 'arg') {
    return instruction.args.map(({ key, value }) => ({ name: key, ...(value === undefined ? {} : { value }) }));
  }
  if (instruction.kind !== 'env' && instruction.kind !== 'label') return undefined;
  return instruction.pairs.map(({ key, value }) => ({ name: key, value }));
}

/** WORKDIR, USER, STOPSIGNAL and MAINTAINER. */
export function valueText(kind: 'WORKDIR' | 'USER' | 'STOPSIGNAL' | 'MAINTAINER', value: string): string | undefined {
  // The name of a maintainer is not expanded.
  const text = `${kind} ${kind === 'MAINTAINER' ? value : escapeWord(value)}`;
  return firstThatReadsBack(
    [text],
    (instruction) => instruction.kind === kind.toLowerCase() && valueOf(instruction) === value,
  );
}

function valueOf(instruction: Instruction): string | undefined {
  if (instruction.kind === 'workdir') return instruction.path;
  if (instruction.kind === 'user') return instruction.user;
  if (instruction.kind === 'stopsignal') return instruction.signal;
  return instruction.kind === 'maintainer' ? instruction.author : undefined;
}

/** EXPOSE; `/tcp` goes without saying. */
export function exposeText(ports: readonly string[]): string | undefined {
  const short = ports.map((port) => port.replace(/\/tcp$/, ''));
  return firstThatReadsBack(
    [`EXPOSE ${short.map(escapeWord).join(' ')}`],
    // Ports are sorted when they are read.
    (instruction) => instruction.kind === 'expose' && sameWords(instruction.ports, short.toSorted()),
  );
}

/** VOLUME, as a JSON array where a path has a blank in it. */
export function volumeText(paths: readonly string[]): string | undefined {
  const escaped = paths.map(escapeWord);
  return firstThatReadsBack(
    [...(escaped.some(hasControls) ? [] : [`VOLUME ${escaped.join(' ')}`]), `VOLUME ${jsonWords(escaped)}`],
    (instruction) => instruction.kind === 'volume' && sameWords(instruction.paths, paths),
  );
}

/** SHELL, which has only the exec form. */
export function shellText(words: readonly string[]): string | undefined {
  return firstThatReadsBack(
    [`SHELL ${jsonWords(words)}`],
    (instruction) => instruction.kind === 'shell' && sameWords(instruction.args, words),
  );
}

/** ONBUILD, as the config keeps triggers. */
export function onBuildText(trigger: string): string | undefined {
  return firstThatReadsBack(
    [`ONBUILD ${trigger}`],
    (instruction) => instruction.kind === 'onbuild' && instruction.text === trigger,
  );
}

/** HEALTHCHECK; durations in nanoseconds, 0 is not written. */
export function healthcheckText(check: Healthcheck): string | undefined {
  const [kind = '', ...words] = check.Test;
  const flags = [
    flag('interval', check.Interval),
    flag('timeout', check.Timeout),
    flag('start-period', check.StartPeriod),
    flag('start-interval', check.StartInterval),
    check.Retries === 0 ? [] : [`--retries=${check.Retries}`],
  ].flat();
  const command = words[0] ?? '';
  const test =
    kind === 'NONE'
      ? 'NONE'
      : kind === 'CMD-SHELL' && words.length === 1
        ? `CMD ${command}`
        : `CMD ${jsonWords(words)}`;
  return firstThatReadsBack([['HEALTHCHECK', ...flags, test].join(' ')], (instruction) => {
    if (instruction.kind !== 'healthcheck' || !sameWords(instruction.test, check.Test)) return false;
    return (
      (instruction.intervalNs ?? 0) === check.Interval &&
      (instruction.timeoutNs ?? 0) === check.Timeout &&
      (instruction.startPeriodNs ?? 0) === check.StartPeriod &&
      (instruction.startIntervalNs ?? 0) === check.StartInterval &&
      (instruction.retries ?? 0) === check.Retries
    );
  });
}

const units: readonly (readonly [string, number])[] = [
  ['h', 3_600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

/** In the largest unit that needs no fraction: `--interval=90s`, `--timeout=5m`. */
function flag(name: string, nanoseconds: number): readonly string[] {
  if (nanoseconds === 0) return [];
  const [unit, size] = units.find(([, of]) => nanoseconds % of === 0) ?? ['ns', 1];
  const text = `${nanoseconds / size}${unit}`;
  return parseDuration(text) === undefined ? [] : [`--${name}=${text}`];
}
