import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copied, type LayerFile } from './testing/copied.ts';

// What Docker 28 with BuildKit makes of the same files: every row has been compared with it.

const temporary = temporaryDirectories();
let store: ImageStore;
let context: string;

beforeEach(() => {
  store = ImageStore.open(temporary());
  context = temporary();
  for (const [path, content] of [
    ['f', 'F'],
    ['g', 'G'],
    ['d/one', '1'],
    ['d/sub/two', '2'],
    ['e/one', 'E'],
  ] as const) {
    // biome-ignore format: short
    mkdirSync(dirname(join(context, path)), { recursive: true });
    writeFileSync(join(context, path), content, { mode: 0o644 });
    chmodSync(join(context, path), 0o644);
  }
  for (const directory of ['d', 'e']) chmodSync(join(context, directory), 0o755);
  chmodSync(join(context, 'd/sub'), 0o700);
  symlinkSync('f', join(context, 'tof'));
  symlinkSync('d', join(context, 'tod'));
  symlinkSync('/f', join(context, 'abs'));
  symlinkSync('gone', join(context, 'dangling'));
});

afterEach(() => {
  store.close();
});

const directory = (path: string, mode = 0o755): LayerFile => ({ path, type: 'directory', mode });
const link = (path: string, target: string): LayerFile => ({ path, type: 'symlink', link: target });

describe('a source and a destination', () => {
  const base = [
    [
      directory('etc', 0o711),
      directory('etc/sub', 0o711),
      { path: 'etc/old', content: 'O' },
      { path: 'file', content: 'X' },
    ],
  ];
  const tree = (at: string, mode = '755'): string[] => [
    `${at}/ ${mode} 0:0`,
    `${at}/one 644 0:0 1`,
    `${at}/sub/ 700 0:0`,
    `${at}/sub/two 644 0:0 2`,
  ];

  it.each([
    ['file', 'new', ['new 644 0:0 F'], 'COPY f /new'],
    ['file', 'new directory', ['new/ 755 0:0', 'new/f 644 0:0 F'], 'COPY f /new/'],
    ['file', 'new below new', ['a/ 755 0:0', 'a/b/ 755 0:0', 'a/b/c 644 0:0 F'], 'COPY f /a/b/c'],
    ['file', 'existing directory', ['etc/ 711 0:0', 'etc/f 644 0:0 F'], 'COPY f /etc'],
    ['file', 'existing file', ['file 644 0:0 F'], 'COPY f /file'],
    ['file', 'root', ['f 644 0:0 F'], 'COPY f /'],
    ['link to a file', 'new', ['new 644 0:0 F'], 'COPY tof /new'],
    ['link to a file', 'directory', ['etc/ 711 0:0', 'etc/tof 644 0:0 F'], 'COPY tof /etc'],
    ['absolute link', 'new: resolved in the context', ['new 644 0:0 F'], 'COPY abs /new'],
    ['directory', 'new', tree('new'), 'COPY d /new'],
    ['directory', 'new with slash', tree('new'), 'COPY d/ /new/'],
    ['directory', 'existing: keeps its mode, what is in it does not', tree('etc', '711'), 'COPY d /etc'],
    ['directory', 'root', ['one 644 0:0 1', 'sub/ 700 0:0', 'sub/two 644 0:0 2'], 'COPY d /'],
    ['link to a directory', 'new', tree('new'), 'COPY tod /new'],
    ['file through a link', 'new', ['new 644 0:0 1'], 'COPY tod/one /new'],
    ['two files', 'directory', ['x/ 755 0:0', 'x/f 644 0:0 F', 'x/g 644 0:0 G'], 'COPY f g /x/'],
    [
      'two directories',
      'one over the other',
      ['x/ 755 0:0', 'x/one 644 0:0 E', 'x/sub/ 700 0:0', 'x/sub/two 644 0:0 2'],
      'COPY d e /x/',
    ],
    ['wildcard', 'directory', ['x/ 755 0:0', 'x/f 644 0:0 F', 'x/g 644 0:0 G'], 'COPY [fg] /x/'],
    [
      'wildcard on directories',
      'their content',
      ['x/ 755 0:0', 'x/one 644 0:0 E', 'x/sub/ 700 0:0', 'x/sub/two 644 0:0 2'],
      'COPY [de] /x/',
    ],
    ['wildcard below', 'flat', ['x/ 755 0:0', 'x/one 644 0:0 E'], 'COPY */one /x/'],
    ['nothing', 'nothing', [], 'COPY nothing* /x/'],
    ['nothing and something', 'directory', ['x/ 755 0:0', 'x/f 644 0:0 F'], 'COPY nothing* f /x/'],
    ['..', 'stays in the context', ['new 644 0:0 F'], 'COPY ../../f /new'],
    ['heredoc', 'directory', ['x/ 755 0:0', 'x/name 644 0:0 text\n'], 'COPY <<name /x/\ntext\nname'],
  ] as const)('%s to %s', async (_source, _dest, expected, line) => {
    expect(await copied(line, { store, context, base })).toEqual(expected);
  });

  it('a link inside a copied directory stays a link, also one to nowhere', async () => {
    mkdirSync(join(context, 'links'));
    symlinkSync('../f', join(context, 'links', 'a'));
    symlinkSync('/nowhere', join(context, 'links', 'b'));
    expect(await copied('COPY links /x', { store, context })).toEqual(['x/ 755 0:0', 'x/a -> ../f', 'x/b -> /nowhere']);
  });

  it.each([
    ['a file over a directory inside', 'COPY d /t', [directory('t'), directory('t/one')], 'COPY_TARGET_IS_DIRECTORY'],
    [
      'a directory over a file inside',
      'COPY d /t',
      [directory('t'), { path: 't/sub', content: 'x' }],
      'COPY_TARGET_NOT_DIRECTORY',
    ],
    ['a directory to a file', 'COPY d /file', [{ path: 'file', content: 'x' }], 'COPY_TARGET_NOT_DIRECTORY'],
    ['a file below a file', 'COPY f /file/x', [{ path: 'file', content: 'x' }], 'COPY_TARGET_NOT_DIRECTORY'],
    ['a missing source', 'COPY missing /x', [], 'COPY_SOURCE_NOT_FOUND'],
    ['a link to nowhere', 'COPY dangling /x', [], 'COPY_SOURCE_NOT_FOUND'],
    ['a file taken for a directory', 'COPY f/one /x', [], 'COPY_SOURCE_NOT_FOUND'],
  ] as const)('%s is refused', async (_, line, layer, code) => {
    await expect(copied(line, { store, context, base: [layer] })).rejects.toMatchObject({ code });
  });
});

describe('links of the image below', () => {
  const base = [[directory('real'), directory('real/sub'), link('rel', 'real'), link('abs', '/real'), link('real/up', '../../../real'), link('dang', '/missing/deep'), link('lfile', '/real/f')]]; // biome-ignore format: short

  it.each([
    ['relative', 'COPY f /rel/a', ['real/ 755 0:0', 'real/a 644 0:0 F']],
    ['absolute', 'COPY f /abs/', ['real/ 755 0:0', 'real/f 644 0:0 F']],
    ['beyond the root', 'COPY f /rel/up/sub/x', ['real/ 755 0:0', 'real/sub/ 755 0:0', 'real/sub/x 644 0:0 F']],
    ['dangling, as a file', 'COPY f /dang', ['missing/ 755 0:0', 'missing/deep 644 0:0 F']],
    [
      'dangling, as a directory',
      'COPY f /dang/',
      ['missing/ 755 0:0', 'missing/deep/ 755 0:0', 'missing/deep/f 644 0:0 F'],
    ],
    ['to a file that is not there', 'COPY f /lfile', ['real/ 755 0:0', 'real/f 644 0:0 F']],
    ['never with --link', 'COPY --link f /rel/a', ['rel/ 755 0:0', 'rel/a 644 0:0 F']],
  ] as const)('are written through: %s', async (_, line, expected) => {
    expect(await copied(line, { store, context, base })).toEqual(expected);
  });

  it('inside a copied tree are replaced by a file, in the way of a directory', async () => {
    const layer = [directory('t'), link('t/one', '/etc')];
    expect(await copied('COPY d /t', { store, context, base: [layer] })).toContain('t/one 644 0:0 1');
    await expect(
      copied('COPY d /t', { store, context, base: [[directory('t'), link('t/sub', '/')]] }),
    ).rejects.toMatchObject({
      code: 'COPY_TARGET_NOT_DIRECTORY',
    });
  });

  it('that loop are refused', async () => {
    await expect(
      copied('COPY f /a/x', { store, context, base: [[link('a', 'b'), link('b', 'a')]] }),
    ).rejects.toMatchObject({
      code: 'LINK_LOOP',
    });
  });
});

describe('owners and modes', () => {
  const users = [
    { path: 'etc/passwd', content: 'root:x:0:0::/:\napp:x:7:8::/:\n' },
    { path: 'etc/group', content: 'root:x:0:\nweb:x:9:\n' },
  ];

  it.each([
    ['55', '55:55'],
    ['55:66', '55:66'],
    ['app', '7:8'],
    ['app:web', '7:9'],
    ['app:1', '7:1'],
    ['3:web', '3:9'],
  ])('--chown=%s goes to all that is made', async (chown, owner) => {
    expect(await copied(`COPY --chown=${chown} d /x/y`, { store, context, base: [users] })).toEqual([
      `x/ 755 ${owner}`,
      `x/y/ 755 ${owner}`,
      `x/y/one 644 ${owner} 1`,
      `x/y/sub/ 700 ${owner}`,
      `x/y/sub/two 644 ${owner} 2`,
    ]);
  });

  it('unknown names are told, even with --link', async () => {
    for (const line of [
      'COPY --chown=nobody f /x',
      'COPY --chown=app:nogroup f /x',
      'COPY --link --chown=nobody f /x',
    ]) {
      await expect(copied(line, { store, context, base: [users] })).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    }
  });

  it('an octal --chmod goes to all that is made, a symbolic one to what is copied', async () => {
    expect(await copied('COPY --chmod=750 d /x/y', { store, context })).toEqual([
      'x/ 750 0:0',
      'x/y/ 750 0:0',
      'x/y/one 750 0:0 1',
      'x/y/sub/ 750 0:0',
      'x/y/sub/two 750 0:0 2',
    ]);
    expect(await copied('COPY --chmod=go= d /x/y', { store, context })).toEqual([
      'x/ 755 0:0',
      'x/y/ 755 0:0',
      'x/y/one 600 0:0 1',
      'x/y/sub/ 700 0:0',
      'x/y/sub/two 600 0:0 2',
    ]);
  });

  it('links have no mode of their own', async () => {
    mkdirSync(join(context, 'l'));
    symlinkSync('f', join(context, 'l', 'a'));
    expect(await copied('COPY --chmod=600 l /x', { store, context })).toEqual(['x/ 600 0:0', 'x/a -> f']);
  });

  it('the context belongs to root, a stage keeps its owners', async () => {
    if (process.getuid?.() === 0) chownSync(join(context, 'f'), 12, 34);
    expect(await copied('COPY f /x', { store, context })).toEqual(['x 644 0:0 F']);
    const from = [[{ path: 'f', content: 'F', uid: 12, gid: 34, mode: 0o4711 }]];
    expect(await copied('COPY --from=s /f /x', { store, from })).toEqual(['x 4711 12:34 F']);
  });
});

describe('hard links', () => {
  it('of the context stay links within one source', async () => {
    linkSync(join(context, 'd/one'), join(context, 'd/three'));
    expect(await copied('COPY d /x', { store, context })).toEqual([
      'x/ 755 0:0',
      'x/one 644 0:0 1',
      'x/sub/ 700 0:0',
      'x/sub/two 644 0:0 2',
      'x/three == x/one',
    ]);
    expect(await copied('COPY d/one d/three /y/', { store, context })).toEqual([
      'y/ 755 0:0',
      'y/one 644 0:0 1',
      'y/three 644 0:0 1',
    ]);
  });

  it('of a stage too', async () => {
    const from = [
      [directory('s'), { path: 's/b', content: 'B' }, { path: 's/a', type: 'hardlink', link: 's/b' } as const],
    ];
    expect(await copied('COPY --from=s /s /x', { store, from })).toEqual(['x/ 755 0:0', 'x/a 644 0:0 B', 'x/b == x/a']);
  });
});

describe('--exclude and --parents', () => {
  it.each([
    ['COPY --exclude=one d /x', ['x/ 755 0:0', 'x/sub/ 700 0:0', 'x/sub/two 644 0:0 2']],
    ['COPY --exclude=sub d /x', ['x/ 755 0:0', 'x/one 644 0:0 1']],
    ['COPY --exclude=* --exclude=!sub/two d /x', ['x/ 755 0:0', 'x/sub/ 700 0:0', 'x/sub/two 644 0:0 2']],
    [
      'COPY --exclude=sub --exclude=!sub/two d /x',
      ['x/ 755 0:0', 'x/one 644 0:0 1', 'x/sub/ 700 0:0', 'x/sub/two 644 0:0 2'],
    ],
    ['COPY --exclude=** --exclude=!nothing d /x', ['x/ 755 0:0']],
    ['COPY --exclude=d/one d /x', ['x/ 755 0:0', 'x/one 644 0:0 1', 'x/sub/ 700 0:0', 'x/sub/two 644 0:0 2']],
    ['COPY --exclude=f f /x', ['x 644 0:0 F']],
    ['COPY --parents d/sub/two /x/', ['x/ 755 0:0', 'x/d/ 755 0:0', 'x/d/sub/ 700 0:0', 'x/d/sub/two 644 0:0 2']],
    ['COPY --parents d/./sub/two /x/', ['x/ 755 0:0', 'x/sub/ 700 0:0', 'x/sub/two 644 0:0 2']],
    ['COPY --parents d/sub /x/', ['x/ 755 0:0', 'x/d/ 755 0:0', 'x/d/sub/ 700 0:0', 'x/d/sub/two 644 0:0 2']],
    [
      'COPY --parents ./d/*/two ./e/one /x/',
      ['x/ 755 0:0', 'x/d/ 755 0:0', 'x/d/sub/ 700 0:0', 'x/d/sub/two 644 0:0 2', 'x/e/ 755 0:0', 'x/e/one 644 0:0 E'],
    ],
    [
      'COPY --parents --exclude=**/one ./d ./e /x/',
      ['x/ 755 0:0', 'x/d/ 755 0:0', 'x/d/sub/ 700 0:0', 'x/d/sub/two 644 0:0 2', 'x/e/ 755 0:0'],
    ],
  ])('%s', async (line, expected) => {
    expect(await copied(line, { store, context })).toEqual(expected);
  });

  it('--parents wants a plain path to be there', async () => {
    await expect(copied('COPY --parents d/gone /x/', { store, context })).rejects.toMatchObject({
      code: 'COPY_SOURCE_NOT_FOUND',
    });
  });
});

describe('.dockerignore', () => {
  it('keeps the parents of what it lets in again, and hides the rest from every source', async () => {
    const ignore = '*\n!d/sub';
    expect(await copied('COPY . /x', { store, context, ignore })).toEqual([
      'x/ 755 0:0',
      'x/d/ 755 0:0',
      'x/d/sub/ 700 0:0',
      'x/d/sub/two 644 0:0 2',
    ]);
    await expect(copied('COPY f /x', { store, context, ignore })).rejects.toMatchObject({
      code: 'COPY_SOURCE_NOT_FOUND',
    });
    expect(await copied('COPY [fg] /x/', { store, context, ignore })).toEqual([]);
  });
});

describe('times', () => {
  it('SOURCE_DATE_EPOCH makes layers equal whatever the times of the files', async () => {
    const { prepare } = await import('./testing/copied.ts');
    const digest = async (): Promise<string> =>
      (await prepare('COPY . /a/b', { store, context, epochNs: 1_000_000_000_000_000_000n }).write([])).diffId;
    const before = await digest();
    for (const path of ['f', 'd/one', 'd/sub']) chmodSync(join(context, path), path === 'd/sub' ? 0o700 : 0o644);
    const { utimesSync } = await import('node:fs');
    utimesSync(join(context, 'f'), 12, 34);
    utimesSync(join(context, 'd'), 12, 34);
    expect(await digest()).toBe(before);
  });
});
