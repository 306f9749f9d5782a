import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { createdMode, modeChange } from './file-mode.ts';

const temporary = temporaryDirectories();

describe('modeChange', () => {
  // chmod(1) of GNU and BSD agree on these, and both are asked: the process's chmod and this module.
  const agreed = [
    'u+x', 'a+x', '+x', 'go-rwx', 'u=rwx,g=rx,o=', 'a=r', 'ug+w,o-r', 'u+s', 'g+s', 'ug+s,u-s', 'a-s', '+t', 'a+t', 'a-t',
    'g=u', 'o=g-w', 'g+u', 'o-g', 'ugo=rw', 'a+X', 'u+rwX', 'go=rX', 'u=rw,go=', '755', '0644', '4755', '0', '7777', 'u+x-w', 'g-w+x',
  ]; // biome-ignore format: a table

  it.each(agreed)('%s as chmod does', (chmod) => {
    const directory = temporary();
    for (const mode of [0o644, 0o755, 0o600, 0o777, 0o000, 0o711]) {
      for (const isDirectory of [false, true]) {
        const path = join(directory, `${mode}-${isDirectory}`);
        if (isDirectory) mkdirSync(path);
        else writeFileSync(path, '');
        chmodSync(path, mode);

        execFileSync('sh', ['-c', 'umask 0; exec chmod "$1" "$2"', 'sh', chmod, path]);
        const expected = lstatSync(path).mode & 0o7777;
        expect([mode.toString(8), isDirectory, modeChange(chmod)(mode, isDirectory).toString(8)]).toEqual([
          mode.toString(8),
          isDirectory,
          expected.toString(8),
        ]);
        chmodSync(path, 0o700);
      }
    }
  });

  // Where they differ BuildKit goes with BSD; measured with Docker 28.
  it.each([
    ['u=rwx,go=rX', 0o644, 0o744],
    ['u=rwx,go=rX', 0o4755, 0o755],
    ['u+x,a+X', 0o644, 0o744],
    ['a-x,a+X', 0o4755, 0o4755],
    ['u=g', 0o4755, 0o4555],
    ['a=u', 0o4755, 0o4777],
    ['ugo=r,u=wX', 0o4755, 0o344],
    ['o+t', 0o644, 0o644],
    ['g+s,o+t', 0o644, 0o2644],
    ['u+t', 0o644, 0o1644],
    ['o+s', 0o644, 0o644],
    ['=t', 0o644, 0o1644],
    ['=t', 0o4755, 0o5755],
    ['+t,=', 0o644, 0o1000],
    ['=', 0o4755, 0],
    ['u=', 0o4755, 0o055],
    ['u=gr', 0o664, 0o464],
    ['u=rg', 0o640, 0o440],
    ['+w', 0o444, 0o666],
    ['-w', 0o666, 0o444],
    ['a=r', 0o1666, 0o1444],
    ['g=rx', 0o2755, 0o755],
  ])('%s on %o', (chmod, mode, expected) => {
    expect(modeChange(chmod)(mode, false).toString(8)).toBe(expected.toString(8));
  });

  it('keeps the mode when there is no --chmod', () => {
    expect(modeChange(undefined)(0o4711, false)).toBe(0o4711);
  });
});

describe('createdMode', () => {
  it.each([
    [undefined, 0o755],
    ['700', 0o700],
    ['644', 0o644],
    ['0', 0],
    ['777', 0o755],
    ['2775', 0o755],
    ['07777', 0o755],
    ['a+w', 0o755],
    ['u=', 0o755],
  ])('%s', (chmod, mode) => {
    expect(createdMode(chmod).toString(8)).toBe(mode.toString(8));
  });
});
