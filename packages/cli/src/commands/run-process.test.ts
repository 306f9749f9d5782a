import { describe, expect, it } from 'vitest';
import { commandLine, processEnvironment, workingDirectory } from './run-process.ts';

describe('commandLine', () => {
  const image = { Entrypoint: ['/entry', '-x'], Cmd: ['serve'] };
  it.each([
    [image, undefined, [], ['/entry', '-x', 'serve']],
    [image, undefined, ['a', 'b'], ['/entry', '-x', 'a', 'b']],
    [image, '/bin/sh', [], ['/bin/sh']],
    [image, '/bin/sh', ['-c', 'x'], ['/bin/sh', '-c', 'x']],
    [image, '', ['ls'], ['ls']],
    [{ Entrypoint: [], Cmd: ['serve'] }, undefined, [], ['serve']],
  ])('%j, entrypoint %j, arguments %j', (config, entrypoint, args, line) => {
    expect(commandLine(config, entrypoint, args)).toEqual(line);
  });

  it('needs one', () => {
    expect(() => commandLine({ Entrypoint: [], Cmd: [] }, undefined, [])).toThrow(
      expect.objectContaining({ code: 'NO_COMMAND' }),
    );
    expect(() => commandLine(image, '', [])).toThrow(expect.objectContaining({ code: 'NO_COMMAND' }));
  });
});

it('processEnvironment lets later values win', () => {
  expect(processEnvironment({ Env: ['A=1', 'PATH=/x', 'B=2'] }, ['A=3', 'C=4'], false)).toEqual([
    'PATH=/x',
    'A=3',
    'B=2',
    'C=4',
  ]);
  expect(processEnvironment({ Env: [] }, [], true)).toEqual([
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'TERM=xterm',
  ]);
});

it('workingDirectory', () => {
  expect(workingDirectory({ WorkingDir: '' }, undefined)).toBe('/');
  expect(workingDirectory({ WorkingDir: '/app' }, undefined)).toBe('/app');
  expect(workingDirectory({ WorkingDir: '/app' }, '/x')).toBe('/x');
  expect(() => workingDirectory({ WorkingDir: '/app' }, 'x')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
