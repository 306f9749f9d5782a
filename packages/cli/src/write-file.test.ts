import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { expect, it } from 'vitest';
import { writeFileAtomically } from './write-file.ts';

const temporaryDirectory = temporaryDirectories();

it('replaces a file, follows a link, leaves nothing beside it', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'real'), 'old');
  symlinkSync('real', join(directory, 'link'));
  writeFileAtomically(join(directory, 'link'), 'new');
  writeFileAtomically(join(directory, 'fresh'), Buffer.from('x'));
  expect(readFileSync(join(directory, 'real'), 'utf8')).toBe('new');
  expect(readdirSync(directory).sort()).toEqual(['fresh', 'link', 'real']);
});

it('fails without a trace when the directory is missing', () => {
  const directory = temporaryDirectory();
  expect(() => writeFileAtomically(join(directory, 'no/file'), 'x')).toThrow(/ENOENT/);
  expect(readdirSync(directory)).toEqual([]);
});
