import { describe, expect, it } from 'vitest';
import { getPrefectImageName } from './prefect-image.ts';
import { parsePythonVersion } from './python-version.ts';

describe('parsePythonVersion', () => {
  // From packaging 24.
  it.each([
    ['2.14.6', '2.14.6'],
    ['v2.14.6', '2.14.6'],
    [' 3.0.0-rc.1 ', '3.0.0rc1'],
    ['03.04.05', '3.4.5'],
    ['1!3.0.0', '1!3.0.0'],
    ['3.0.0.dev0', '3.0.0.dev0'],
    ['3.0.0dev', '3.0.0.dev0'],
    ['1.0-1', '1.0.post1'],
    ['1.0.rev2', '1.0.post2'],
    ['1.0ALPHA', '1.0a0'],
    ['1.0_preview_3', '1.0rc3'],
    ['1.0c2.post4.dev5', '1.0rc2.post4.dev5'],
    ['99999999999999999999.1', '99999999999999999999.1'],
  ])('%s', (text, expected) => {
    expect(parsePythonVersion(text)).toEqual({ public: expected, local: undefined });
  });

  it('normalises the local part', () => {
    expect(parsePythonVersion('1.0+Ubuntu-01_x').local).toBe('ubuntu.1.x');
  });

  it.each(['', 'latest', '1.0.', '1..0', '1.0+', '1.0+a..b', '١.0', `1${'.1'.repeat(500)}`])('refuses %s', (text) => {
    expect(() => parsePythonVersion(text)).toThrowError(expect.objectContaining({ code: 'VERSION_INVALID' }));
  });
});

describe('getPrefectImageName', () => {
  it.each<[string | undefined, string | undefined, string | undefined, string]>([
    ['2.14.6', '3.11', undefined, 'prefecthq/prefect:2.14.6-python3.11'],
    ['v3.0.0-rc.1', '3.12', '', 'prefecthq/prefect:3.0.0rc1-python3.12'],
    ['3.0.0', '3.9', 'conda', 'prefecthq/prefect:3.0.0-python3.9-conda'],
    ['1!3.0.0', '3.9', undefined, 'prefecthq/prefect:1-3.0.0-python3.9'],
    ['3.4.6+12.g1a2b3c4d.dirty', '3.12', undefined, 'prefecthq/prefect-dev:sha-1a2b3c4-python3.12'],
    ['3.4.6+12.g1a2b3c4', '3.12', 'conda', 'prefecthq/prefect-dev:sha-1a2b3c4-python3.12-conda'],
    [undefined, undefined, undefined, 'prefecthq/prefect:3-python3.12'],
    ['', '', '', 'prefecthq/prefect:3-python3.12'],
    ['3.1.0', '3.12', 'a b', 'prefecthq/prefect:3.1.0-python3.12-a-b'],
  ])('%s %s %s', (version, python, flavor, expected) => {
    expect(getPrefectImageName(version, python, flavor)).toBe(expected);
  });

  it('does not guess a revision', () => {
    expect(() => getPrefectImageName('3.4.6+ubuntu')).toThrowError(/names no revision/);
  });
});
