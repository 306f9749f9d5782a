import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { otherUser, whyOtherUserCannotRun } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { writeTar } from '../tar/testing/tar-fixtures.ts';
import { makeBox, tarOf } from './testing/box.ts';
import { directory, fifo, file } from './testing/entries.ts';
import { isRoot } from './testing/unpacking.ts';

const script = fileURLToPath(new URL('./unpack-layer.ts', import.meta.url));
const reason = isRoot ? whyOtherUserCannotRun(script) : 'started without root: no other user can be taken on';

describe.skipIf(reason !== undefined)(`without root${reason === undefined ? '' : ` (${reason})`}`, () => {
  it('unpacks read-only directories over each other with owners ignored', () => {
    using box = makeBox();
    chmodSync(box.dir, 0o777);
    chmodSync(box.target, 0o777);
    const layers = [
      [
        directory('.', { mode: 0o555 }),
        directory('ro', { mode: 0o555 }),
        file('ro/a', { mode: 0o400, uid: 5 }),
        directory('no', { mode: 0 }),
        file('no/x'),
      ],
      [file('ro/b', { size: 3 }), file('.wh.no'), directory('ro', { mode: 0o500 }), file('ro/c'), fifo('p')],
    ];
    for (const [at, entries] of layers.entries()) writeFileSync(join(box.dir, `${at}.tar`), tarOf(entries));
    const program = `
      import { openSync } from 'node:fs';
      import { unpackLayer } from ${JSON.stringify(new URL('./unpack-layer.ts', import.meta.url).href)};
      // The target is made by the one who unpacks, as its mode has to be set.
      import { mkdirSync } from 'node:fs';
      mkdirSync(${JSON.stringify(join(box.target, 'own'))});
      for (const at of [0, 1]) unpackLayer(openSync(${JSON.stringify(box.dir)} + '/' + at + '.tar', 'r'), ${JSON.stringify(join(box.target, 'own'))}, { whiteouts: 'apply', owners: 'ignore' });
    `;
    const run = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
      ...otherUser,
      encoding: 'utf8',
      env: {},
    });
    expect(run.stderr).toBe('');
    const own = join(box.target, 'own');
    const modeOf = (name: string): number => statSync(join(own, name)).mode & 0o7777;
    expect(readdirSync(own).sort()).toEqual(['p', 'ro']);
    expect(readdirSync(join(own, 'ro')).sort()).toEqual(['a', 'b', 'c']);
    expect([modeOf('.'), modeOf('ro'), modeOf('ro/a')]).toEqual([0o555, 0o500, 0o400]);
    expect(readFileSync(join(own, 'ro/b'), 'latin1')).toBe('ro/');
    expect(existsSync(join(own, 'no'))).toBe(false);
    expect(statSync(join(own, 'ro/a')).uid).toBe(otherUser.uid);
  });

  it('says that keeping owners takes root', () => {
    using box = makeBox();
    chmodSync(box.dir, 0o777);
    chmodSync(box.target, 0o777);
    writeFileSync(join(box.dir, 'layer.tar'), writeTar([{ entry: file('f', { uid: 5 }), content: Buffer.alloc(0) }]));
    const program = `
      import { openSync } from 'node:fs';
      import { unpackLayer } from ${JSON.stringify(new URL('./unpack-layer.ts', import.meta.url).href)};
      try { unpackLayer(openSync(${JSON.stringify(join(box.dir, 'layer.tar'))}, 'r'), ${JSON.stringify(box.target)}, { whiteouts: 'apply' }); }
      catch (error) { console.log(error.code, error.details.errno, error.hint); }
    `;
    const run = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
      ...otherUser,
      encoding: 'utf8',
      env: {},
    });
    expect(run.stdout).toMatch(/^LAYER_UNPACK EPERM .*owners ignored/);
  });
});
