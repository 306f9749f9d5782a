import { describe, expect, it } from 'vitest';
import { chinaTime, localTime, parseTimeZone } from './time-zone.ts';

describe('localTime', () => {
  it.each([
    ['2025-12-31T22:22:10.250075491Z', '+08:00', '2026-01-01 06:22:10'],
    ['2025-12-31T22:22:10.999999999Z', 'Asia/Shanghai', '2026-01-01 06:22:10'],
    ['2026-07-01T00:00:00Z', 'Europe/Berlin', '2026-07-01 02:00:00'],
    ['2026-01-01T00:00:00Z', 'Europe/Berlin', '2026-01-01 01:00:00'],
    ['2026-01-01T00:00:00+08:00', 'UTC', '2025-12-31 16:00:00'],
    ['2026-01-01T00:00:00Z', '-0330', '2025-12-31 20:30:00'],
    ['1900-01-01T00:00:00Z', 'Asia/Shanghai', '1900-01-01 08:05:43'],
    ['1969-12-31T23:59:59.5Z', 'Z', '1969-12-31 23:59:59'],
  ])('%s in %s', (created, zone, text) => {
    expect(localTime(created, parseTimeZone(zone))).toBe(text);
  });

  it.each(['0001-01-01T00:00:00Z', '2026-13-45T99:99:99Z', 'yesterday', '', '0000-01-01T00:00:00Z', undefined])(
    'has no text for %j',
    (created) => {
      expect(localTime(created, parseTimeZone('-01:00'))).toBeUndefined();
    },
  );
});

describe('parseTimeZone', () => {
  it('names zones', () => {
    expect(parseTimeZone('+0800').name).toBe(chinaTime.name);
    expect(parseTimeZone('utc').name).toBe('UTC');
    expect(parseTimeZone('asia/shanghai').name).toBe('Asia/Shanghai');
    expect(parseTimeZone('local').name).not.toBe('');
  });

  it.each(['+15:00', '+08:60', 'Mars/Olympus', '', '\u001b[2J', '__proto__'])('refuses %j', (text) => {
    expect(() => parseTimeZone(text)).toThrow(expect.objectContaining({ code: 'TIME_ZONE_INVALID' }));
  });
});
