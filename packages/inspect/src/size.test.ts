import { describe, expect, it } from 'vitest';
import { formatSize, formatSizeProgress, formatSizeShort } from './size.ts';

describe('formatSize (image page)', () => {
  it.each([
    [0, '0.00B'],
    [697, '697.00B'],
    [1000, '1.00KB'],
    [1379, '1.38KB'],
    [5001, '5.00KB'],
    [59_493, '59.49KB'],
    [547_576, '547.58KB'],
    [999_994, '999.99KB'],
    [999_995, '1.00MB'],
    [787_758_828, '787.76MB'],
    [2_626_367_862, '2.63GB'],
  ])('%i', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('formatSizeShort (docker history, docker images)', () => {
  it.each([
    [0, '0B'],
    [697, '697B'],
    [1379, '1.38kB'],
    [5001, '5kB'],
    [59_493, '59.5kB'],
    [547_576, '548kB'],
    [999_700, '1MB'],
    [787_758_828, '788MB'],
  ])('%i', (bytes, text) => {
    expect(formatSizeShort(bytes)).toBe(text);
  });
});

describe('formatSizeProgress (BuildKit progress)', () => {
  it.each([
    [31, '31B'],
    [3_410_000, '3.41MB'],
    [1_500, '1.50kB'],
  ])('%i', (bytes, text) => {
    expect(formatSizeProgress(bytes)).toBe(text);
  });
});
