import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { O_PATH } from '@boxwright/sys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, locate } from './locate.ts';

const linux = platform() === 'linux';

describe.skipIf(!linux)(`locate${linux ? '' : ' (needs /proc of Linux)'}`, () => {
  let directory: string;
  let root: number;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'boxwright-locate-'));
    const inside = join(directory, 'root');
    mkdirSync(join(inside, 'a/b'), { recursive: true });
    writeFileSync(join(inside, 'a/file'), 'inside');
    writeFileSync(join(directory, 'secret'), 'outside');
    const links: Readonly<Record<string, string>> = {
      absolute: '/a/file',
      relative: '../../../a/file',
      'a/up': '../../../../../../a',
      escape: '../secret',
      outside: join(directory, 'secret'),
      dangling: '../run/x/y',
      loop: 'loop',
      'a/dir': '/a/b/',
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(inside, name));
    root = openSync(inside, O_PATH | constants.O_DIRECTORY);
  });
  afterAll(() => {
    closeSync(root);
    rmSync(directory, { recursive: true });
  });

  function find(path: string): { name: string; missing: readonly string[]; text: string | undefined } | undefined {
    const located = locate(root, path);
    if (located === undefined) return undefined;
    const text = located.stats?.isFile() === true ? readFileSync(at(located.parent, located.name), 'utf8') : undefined;
    closeSync(located.parent);
    return { name: located.name, missing: located.missing, text };
  }

  it.each([
    '/a/file',
    'a//./file',
    '/a/b/../file',
    'absolute',
    'relative',
    '/a/up/file',
    '/../../a/file',
    'a/dir/../file',
    'a/none/../file',
  ])('finds %s', (path) => {
    expect(find(path)).toEqual({ name: 'file', missing: [], text: 'inside' });
  });

  it.each([
    ['escape', 'secret', ['secret']],
    ['a/x/y', 'x', ['x', 'y']],
    ['a/x/../z', 'z', ['z']],
    ['a/x/y/../../../z/.', 'z', ['z']],
    ['dangling', 'run', ['run', 'x', 'y']],
  ])('says what is missing at %s', (path, name, missing) => {
    expect(find(path)).toEqual({ name, missing, text: undefined });
  });

  it('never leaves the root', () => {
    expect(find('outside')?.text).toBeUndefined();
    expect(find('outside')?.missing.length).toBeGreaterThan(0);
    for (const path of ['/', '', '..', 'a/..', 'a/b/../../..']) expect(find(path)).toBeUndefined();
  });

  it.each(['loop', 'loop/x', 'a/file/x'])('refuses %s', (path) => {
    expect(() => find(path)).toThrow(expect.objectContaining({ code: 'SANDBOX_PATH_INVALID' }) as Error);
  });
});
