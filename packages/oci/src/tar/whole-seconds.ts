const NANOSECONDS = 1_000_000_000n;

/**
 * A time without its fraction, rounded down, in nanoseconds. Docker and BuildKit write layers that way (moby
 * `archive.FileInfoHeader`): with fractions every entry would need a PAX header of a kilobyte.
 */
export function wholeSeconds(ns: bigint): bigint {
  const fraction = ns % NANOSECONDS;
  return fraction === 0n ? ns : ns - fraction - (fraction < 0n ? NANOSECONDS : 0n);
}
