import { readFileSync } from 'node:fs';
import { schemaErrors } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { historyRows } from './history-rows.ts';
import { historyTable } from './history-table.ts';

const history = [
  { created: '2026-01-01T00:00:00Z', createdBy: '# debian.sh --arch amd64' },
  { created: '2026-01-01T00:00:00Z', createdBy: 'CMD ["bash"]', emptyLayer: true },
  {
    created: '2026-01-02T00:00:00Z',
    createdBy: 'RUN /bin/sh -c apt-get update\n\t && apt-get install -y 软件包 # buildkit',
    comment: 'buildkit.dockerfile.v0',
  },
];

describe('historyRows', () => {
  it('pairs rows and layers, newest first', () => {
    const rows = historyRows(history, [78_000_000, 1379]);
    expect(rows.map((row) => [row.size, row.layer, row.emptyLayer])).toEqual([
      [1379, 1, false],
      [0, undefined, true],
      [78_000_000, 0, false],
    ]);
    expect(rows[0]?.createdBy).toContain('\n\t');
  });

  it('gives the image its id, on the newest row only, and follows the published schema', () => {
    const id = `sha256:${'1'.repeat(64)}`;
    const rows = historyRows([...history, { emptyLayer: true }], [78_000_000, 1379, 5], id);
    expect(rows.map((row) => row.id)).toEqual([id, undefined, undefined, undefined, undefined]);
    expect(historyRows([], [], id)).toEqual([]);
    const url = new URL('../../../docs/schema/history.schema.json', import.meta.url);
    expect(schemaErrors(JSON.parse(readFileSync(url, 'utf8')), JSON.parse(JSON.stringify(rows)))).toEqual([]);
  });

  it('shows layers that no row names, and rows that no layer is left for', () => {
    expect(historyRows([], [5]).map((row) => [row.createdBy, row.size, row.emptyLayer])).toEqual([['', 5, false]]);
    expect(
      historyRows([{ createdBy: 'a' }, { createdBy: 'b' }], [5]).map((row) => [
        row.createdBy,
        row.size,
        row.emptyLayer,
      ]),
    ).toEqual([
      ['b', 0, true],
      ['a', 5, false],
    ]);
  });
});

describe('historyTable', () => {
  const rows = historyRows(history, [78_000_000, 1379]);
  const now = Date.parse('2026-01-09T00:00:00Z');

  it('cuts CREATED BY at 45 columns', () => {
    expect(historyTable(rows, { now })).toBe(
      [
        'CREATED      CREATED BY                                      SIZE     COMMENT',
        '7 days ago   RUN /bin/sh -c apt-get update && apt-get ins…   1.38kB   buildkit.dockerfile.v0',
        '8 days ago   CMD ["bash"]                                    0B',
        '8 days ago   # debian.sh --arch amd64                        78MB',
        '',
      ].join('\n'),
    );
  });

  it('prints everything with noTruncate', () => {
    const text = historyTable(rows, { now, noTruncate: true });
    expect(text).toContain(
      '2026-01-02T00:00:00Z   RUN /bin/sh -c apt-get update && apt-get install -y 软件包 # buildkit',
    );
  });
});
