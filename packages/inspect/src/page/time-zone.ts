import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** Where a page's times are shown. */
export interface TimeZone {
  /** `UTC`, `+08:00`, or a name of the IANA time zone database. */
  readonly name: string;
  /** Milliseconds to add to UTC at a time (milliseconds since 1970). */
  readonly offsetAt: (time: number) => number;
}

/** Of the mirror sites' pages: China has one zone, without summer time. */
export const chinaTime: TimeZone = { name: '+08:00', offsetAt: () => 8 * 3_600_000 };

/**
 * A zone by its offset (`+08:00`, `-0330`), as `UTC` or `Z`, as `local` for this machine's, or by its IANA name.
 *
 * @throws BoxwrightError TIME_ZONE_INVALID
 */
export function parseTimeZone(text: string): TimeZone {
  if (/^(?:utc|z)$/i.test(text)) return { name: 'UTC', offsetAt: () => 0 };
  if (text === 'local') return namedZone(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(text);
  if (match === null) return namedZone(text);
  const [, sign, hours = '', minutes = ''] = match;
  const size = Number(hours) * 60 + Number(minutes);
  // No place is further from UTC than +14:00.
  if (size > 14 * 60 || Number(minutes) > 59) throw invalid(text);
  const offset = (sign === '-' ? -size : size) * 60_000;
  return { name: `${sign}${hours}:${minutes}`, offsetAt: () => offset };
}

function namedZone(name: string): TimeZone {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' });
  } catch (error) {
    throw invalid(name, error);
  }
  // Rows often share their time, and formatting is slow.
  let lastTime = Number.NaN;
  let lastOffset = 0;
  return {
    name: format.resolvedOptions().timeZone,
    offsetAt: (time) => {
      if (time !== lastTime) {
        lastTime = time;
        lastOffset = longOffset(format.format(time));
      }
      return lastOffset;
    },
  };
}

/** Reads the end of `1/1/1900, GMT+08:05:43`; no digits mean UTC. */
function longOffset(text: string): number {
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match ?? [];
  const size = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -size : size;
}

function invalid(text: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('TIME_ZONE_INVALID', `there is no time zone ${escapeForTerminal(text)}`, {
    hint: 'give an offset (+08:00), UTC, local, or a name such as Asia/Shanghai',
    cause,
    details: { timeZone: text },
  });
}

/**
 * An RFC 3339 time in a zone, `2026-01-01 06:22:10`, fractions of seconds cut off; undefined for one that cannot be read
 * and for Go's zero time, which stands for "not known".
 */
export function localTime(created: string | undefined, zone: TimeZone): string | undefined {
  if (created === undefined || created.startsWith('0001-01-01T')) return undefined;
  const time = Date.parse(created);
  if (Number.isNaN(time)) return undefined;
  const shifted = new Date(time + zone.offsetAt(time));
  if (Number.isNaN(shifted.getTime())) return undefined;
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})/.exec(shifted.toISOString());
  return match === null ? undefined : `${match[1]} ${match[2]}`;
}
