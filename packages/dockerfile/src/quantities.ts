/** Nanoseconds of the units that Go's time.ParseDuration knows; both spellings of the micro sign. */
const nanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const maxDuration = 2n ** 63n - 1n;

/**
 * Go's time.ParseDuration: `1h30m`, `1.5s`, `-3ms`, `0`. The result is in nanoseconds; undefined when the text is no
 * duration or does not fit 64 bits. Above 2^53 ns (104 days) the result is rounded to what a double can hold.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)(.+)$/.exec(text);
  const body = match?.[2];
  if (match === null || body === undefined) return undefined;
  if (body === '0') return 0;
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, whole, fraction, unit] of body.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = nanoseconds[unit ?? ''] ?? 0n;
    // More digits than a nanosecond of an hour has cannot matter.
    const digits = (fraction ?? '').slice(0, 16);
    total += BigInt(whole || '0') * scale + (BigInt(digits || '0') * scale) / 10n ** BigInt(digits.length);
    if (total > maxDuration) return undefined;
  }
  return Number(match[1] === '-' ? -total : total);
}

/** A size for tmpfs as docker/go-units RAMInBytes reads it: `64m`, `1.5GiB`, `4096`, base 1024. Bytes; undefined when malformed. */
export function parseRamSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const power = ' kmgtp'.indexOf((match[2] || ' ').toLowerCase());
  const size = Math.trunc(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(size) ? size : undefined;
}

/** Go's strconv.ParseBool. */
export function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return undefined;
}

/** An unsigned 32-bit number in the base given; undefined when it is none. */
export function parseUnsigned(text: string, base: 8 | 10): number | undefined {
  if (!(base === 8 ? /^[0-7]{1,40}$/ : /^[0-9]{1,40}$/).test(text)) return undefined;
  const value = Number.parseInt(text, base);
  return value <= 0xffff_ffff ? value : undefined;
}
