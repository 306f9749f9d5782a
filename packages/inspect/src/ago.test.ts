import { describe, expect, it } from 'vitest';
import { createdAgo, humanDuration } from './ago.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('humanDuration', () => {
  it.each([
    [999, 'Less than a second'],
    [-5000, 'Less than a second'],
    [1000, '1 second'],
    [59_999, '59 seconds'],
    [minute, 'About a minute'],
    [46 * minute, '46 minutes'],
    [hour, 'About an hour'],
    [90 * minute, '2 hours'],
    [47 * hour, '47 hours'],
    [2 * day, '2 days'],
    [13 * day, '13 days'],
    [14 * day, '2 weeks'],
    [90 * day, '3 months'],
    [729 * day, '24 months'],
    [730 * day, '2 years'],
  ])('%i ms', (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });
});

describe('createdAgo', () => {
  it('needs a readable time', () => {
    const now = Date.parse('2026-01-02T00:00:00Z');
    expect(createdAgo('2026-01-01T22:00:00.123456789Z', now)).toBe('2 hours ago');
    expect(createdAgo(undefined, now)).toBe('N/A');
    expect(createdAgo('0001-01-01T00:00:00Z', now)).toBe('N/A');
    expect(createdAgo('yesterday', now)).toBe('N/A');
  });
});
