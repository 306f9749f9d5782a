import { expect, it } from 'vitest';
import { registryNotes } from './registry-note.ts';

it('says what a person should know, limits once', () => {
  const note = registryNotes();
  const registry = 'docker.io';
  expect(note({ kind: 'warning', registry, text: 'moving soon' })?.text).toBe('docker.io says: moving soon');
  expect(
    note({ kind: 'retry', registry, what: 'blob x', why: 'cannot read blob x: 503', tries: 1, waitMs: 1234 }),
  ).toEqual({
    type: 'note',
    level: 'retry',
    text: 'cannot read blob x: 503; trying again in 1.2s',
  });
  const limited = (remaining: string) => note({ kind: 'rate-limit', registry, limit: '100;w=21600', remaining });
  expect(limited('11;w=21600')).toBeUndefined();
  expect(limited('nonsense')).toBeUndefined();
  expect(limited('10;w=21600')?.text).toBe('docker.io: 10 of 100 pulls are left');
  expect(limited('9;w=21600')).toBeUndefined();
});
