import { expect, it } from 'vitest';
import { formatTable } from './table.ts';

it('aligns columns by display width and escapes cells', () => {
  expect(
    formatTable(
      ['NAME', 'SIZE'],
      [
        ['镜像/应用', '1kB'],
        ['evil\u001b[2J', ''],
        ['x', '12MB'],
      ],
    ),
  ).toBe('NAME          SIZE\n镜像/应用     1kB\nevil\\x1b[2J\nx             12MB\n');
});
