import { describe, expect, it } from 'vitest';
import { chooseVersion } from './version-choice.ts';

const python = ['3.12', '3.13', '3.11', '3.10', '3.14', '3.9'];
const node = ['24', '22', '20'];

describe('chooseVersion', () => {
  it.each<[string, string | undefined]>([
    ['>=3.9', '3.12'],
    ['>=3.13', '3.13'],
    ['>=3.12.4', '3.12'],
    ['>=3.9,<3.12', '3.11'],
    ['<3.12.5', '3.12'],
    ['<3.12.0', '3.11'],
    ['>3.12', '3.13'],
    ['>3.12.1', '3.12'],
    ['~=3.11', '3.12'],
    ['~=3.11.2', '3.11'],
    ['==3.10.*', '3.10'],
    ['!=3.12.*', '3.13'],
    ['!=3.12.1', '3.12'],
    ['^3.13', '3.13'],
    ['*', '3.12'],
    ['', '3.12'],
    ['>=4', undefined],
  ])('Python %s', (range, expected) => {
    expect(chooseVersion(python, range)).toBe(expected);
  });

  it.each<[string, string | undefined]>([
    ['>=20', '24'],
    ['^22.1.0', '22'],
    ['20.x', '20'],
    ['~20.11', '20'],
    ['>= 18 < 23', '22'],
    ['18 - 22', '22'],
    ['18 || 20', '20'],
    ['v22', '22'],
    ['<20', undefined],
  ])('Node.js %s', (range, expected) => {
    expect(chooseVersion(node, range)).toBe(expected);
  });
});
