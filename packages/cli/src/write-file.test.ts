import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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

it('gives the file the permissions that are asked for', () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, 'old', { mode: 0o644 });
  writeFileAtomically(path, 'new', 0o600);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('fails without a trace when the directory is missing', () => {
  const directory = temporaryDirectory();
  expect(() => writeFileAtomically(join(directory, 'no/file'), 'x')).toThrow(/ENOENT/);
  expect(readdirSync(directory)).toEqual([]);
});
