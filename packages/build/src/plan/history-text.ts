import type { HealthcheckState } from './image-state.ts';

/**
 * The command part of a RUN row: `|N K=V … argv`. N counts the ARGs declared so far, a name declared twice keeps its
 * first place; nothing is quoted (BuildKit dockerfile2llb `runCommandString`).
 */
export function runCommandText(
  args: readonly string[],
  declared: readonly { readonly key: string; readonly value: string | undefined }[],
  lookup: (name: string) => string | undefined,
): string {
  const values = new Map<string, string>();
  for (const { key, value } of declared) values.set(key, lookup(key) ?? value ?? '');
  const prefix = values.size === 0 ? [] : [`|${values.size}`, ...[...values].map(([key, value]) => `${key}=${value}`)];
  return [...prefix, ...args].join(' ');
}

/** A string slice as Go's `%v` prints it: `[a b]`. */
export function goList(values: readonly string[]): string {
  return `[${values.join(' ')}]`;
}

/** A string slice as Go's `%q` prints it: `["a" "b"]`. */
export function goQuotedList(values: readonly string[]): string {
  return `[${values.map(goQuote).join(' ')}]`;
}

/**
 * HEALTHCHECK as Go's `%q` prints a pointer to the config struct: `&{["CMD" "true"] "30s" "0s" "0s" "0s" '\x03'}`, the
 * number of retries as the character of that number. So does the BuildKit of Docker 28; its later sources say `%+v`.
 */
export function goHealthcheck(health: HealthcheckState): string {
  const durations = [health.intervalNs, health.timeoutNs, health.startPeriodNs, health.startIntervalNs];
  return `&{${goQuotedList(health.test)} ${durations.map((value) => `"${goDuration(value)}"`).join(' ')} ${goQuoteRune(health.retries)}}`;
}

/** Go's `%q` of an integer: the character in single quotes. */
function goQuoteRune(code: number): string {
  const isCharacter = code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  const character = String.fromCodePoint(isCharacter ? code : 0xfffd);
  if (character === "'") return "'\\''";
  return `'${character === '"' ? character : goQuoteCharacter(character)}'`;
}

/** A duration in nanoseconds as Go's `time.Duration.String` prints it: `1m30s`, `1.5s`, `250ms`, `0s`. */
export function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 0) return `-${goDuration(-nanoseconds)}`;
  const fraction = (value: number, unit: string): string => `${trimZeros(value)}${unit}`;
  if (nanoseconds < 1e3) return fraction(nanoseconds, 'ns');
  if (nanoseconds < 1e6) return fraction(nanoseconds / 1e3, 'µs');
  if (nanoseconds < 1e9) return fraction(nanoseconds / 1e6, 'ms');
  const hours = Math.floor(nanoseconds / 3.6e12);
  const minutes = Math.floor((nanoseconds % 3.6e12) / 6e10);
  const seconds = (nanoseconds % 6e10) / 1e9;
  const tail = fraction(seconds, 's');
  if (hours > 0) return `${hours}h${minutes}m${tail}`;
  return minutes > 0 ? `${minutes}m${tail}` : tail;
}

function trimZeros(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}

/** Go's `strconv.Quote`: printable characters as they are, the rest as `\n`, `\x00`, `\u202e`, `\U000e0001`. */
export function goQuote(text: string): string {
  let quoted = '';
  for (const character of text) quoted += goQuoteCharacter(character);
  return `"${quoted}"`;
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

function goQuoteCharacter(character: string): string {
  const short = SHORT_ESCAPES.get(character);
  if (short !== undefined) return short;
  // Go's IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
  if (character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
