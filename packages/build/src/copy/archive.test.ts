import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copied, type LayerFile, putLayer } from './testing/copied.ts';

const temporary = temporaryDirectories();
let store: ImageStore;
let context: string;

beforeEach(() => {
  store = ImageStore.open(temporary());
  context = temporary();
});

afterEach(() => {
  store.close();
});

/** A tar with these entries, as bytes. */
function tarOf(files: readonly LayerFile[]): Buffer {
  return readFileSync(store.blobPath(putLayer(store, files)));
}

const directory = (path: string, mode = 0o755): LayerFile => ({ path, type: 'directory', mode });
const symlink = (path: string, link: string): LayerFile => ({ path, type: 'symlink', link });
const hardlink = (path: string, link: string): LayerFile => ({ path, type: 'hardlink', link });

const SMALL: readonly LayerFile[] = [
  directory('d', 0o700),
  { path: 'd/f', content: 'F', mode: 0o4750, uid: 5, gid: 6 },
];
const UNPACKED = ['x/ 755 0:0', 'x/d/ 700 0:0', 'x/d/f 4750 5:6 F'];

describe('ADD of an archive', () => {
  it('knows it by its content, whatever its name and compression', async () => {
    const tar = tarOf(SMALL);
    const packed: Record<string, Buffer> = {
      'a.tar': tar,
      'b.txt': tar,
      'c.tgz': gzipSync(tar),
      'd.zst': zstdCompressSync(tar),
      noname: gzipSync(tar),
    };
    for (const [name, bytes] of Object.entries(packed)) {
      writeFileSync(join(context, name), bytes);
      expect([name, await copied(`ADD ${name} /x/`, { store, context })]).toEqual([name, UNPACKED]);
    }
  });

  it.each(['bzip2', 'xz'])('reads %s through the program of that name', async (program) => {
    writeFileSync(join(context, 'a'), execFileSync(program, ['-c'], { input: tarOf(SMALL) }));
    expect(await copied('ADD a /x/', { store, context })).toEqual(UNPACKED);
  });

  it('leaves everything else a file', async () => {
    const files: Record<string, Buffer> = {
      zeros: Buffer.alloc(10_240),
      'gzip of text': gzipSync('text'),
      'cut gzip': gzipSync(tarOf(SMALL)).subarray(0, 20),
      'text.tar': Buffer.from('no tar'),
      empty: Buffer.alloc(0),
      short: Buffer.from([0x1f, 0x8b]),
    };
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(context, 'file'), bytes);
      const entries = await copied('ADD file /x/', { store, context });
      expect([name, entries.map((line) => line.split(' ', 3).join(' '))]).toEqual([
        name,
        ['x/ 755 0:0', 'x/file 644 0:0'],
      ]);
    }
  });

  it('is left packed by COPY and by --unpack=false', async () => {
    writeFileSync(join(context, 'a.tgz'), gzipSync(tarOf(SMALL)));
    for (const line of ['COPY a.tgz /x', 'ADD --unpack=false a.tgz /x']) {
      expect(await copied(line, { store, context })).toHaveLength(1);
    }
  });

  it('gives everything to --chown; --chmod does not apply', async () => {
    writeFileSync(join(context, 'a'), tarOf(SMALL));
    expect(await copied('ADD --chown=1:2 --chmod=777 a /x/', { store, context })).toEqual([
      'x/ 755 1:2',
      'x/d/ 700 1:2',
      'x/d/f 4750 1:2 F',
    ]);
  });

  it('makes parents that have no entry', async () => {
    writeFileSync(join(context, 'a'), tarOf([{ path: 'p/q/f', content: 'F' }]));
    expect(await copied('ADD a /', { store, context })).toEqual(['p/ 755 0:0', 'p/q/ 755 0:0', 'p/q/f 644 0:0 F']);
  });

  it('follows links of the image inside the destination, and replaces one that is in the way of a directory', async () => {
    writeFileSync(
      join(context, 'a'),
      tarOf([directory('bin'), { path: 'bin/f', content: 'F' }, { path: 'lib/g', content: 'G' }]),
    );
    const base = [[directory('usr'), directory('usr/lib'), symlink('lib', 'usr/lib'), symlink('bin', 'usr/lib')]];
    expect(await copied('ADD a /', { store, context, base })).toEqual([
      'bin/ 755 0:0',
      'bin/.wh..wh..opq 644 0:0 ',
      'bin/f 644 0:0 F',
      'usr/ 755 0:0',
      'usr/lib/ 755 0:0',
      'usr/lib/g 644 0:0 G',
    ]);
  });

  it('cannot leave the destination', async () => {
    const tars: readonly (readonly LayerFile[])[] = [
      [{ path: '../up', content: 'x' }],
      [{ path: 'a/../../up', content: 'x' }],
      [{ path: 'f', content: 'x' }, hardlink('l', '../../etc/passwd')],
    ];
    for (const files of tars) {
      writeFileSync(join(context, 'a'), tarOf(files));
      await expect(copied('ADD a /x/', { store, context })).rejects.toMatchObject({ code: 'ARCHIVE_PATH' });
    }
    // A link that points out is a link; what comes after it stays inside.
    writeFileSync(join(context, 'a'), tarOf([symlink('out', '../..'), { path: 'out/f', content: 'F' }]));
    expect(await copied('ADD a /x/y/', { store, context })).toEqual([
      'x/ 755 0:0',
      'x/y/ 755 0:0',
      'x/y/f 644 0:0 F',
      'x/y/out -> ../..',
    ]);
  });

  it('keeps hard links, in an order in which they can be made', async () => {
    writeFileSync(join(context, 'a'), tarOf([{ path: 'c', content: 'C' }, hardlink('b', 'c'), hardlink('a', 'b')]));
    expect(await copied('ADD a /', { store, context })).toEqual(['c 644 0:0 C', 'a == c', 'b == c']);
  });

  it('keeps what a hard link shows when its target is replaced', async () => {
    const tar = tarOf([
      { path: 'a', content: 'old' },
      hardlink('b', 'a'),
      hardlink('c', 'a'),
      { path: 'a', content: 'new' },
    ]);
    writeFileSync(join(context, 'a'), tar);
    expect(await copied('ADD a /', { store, context })).toEqual(['a 644 0:0 new', 'b 644 0:0 old', 'c == b']);
  });

  it('keeps what a hard link shows when the directory of its target goes', async () => {
    const tar = tarOf([
      directory('d'),
      { path: 'd/a', content: 'old' },
      hardlink('b', 'd/a'),
      { path: 'd', content: 'file' },
    ]);
    writeFileSync(join(context, 'a'), tar);
    expect(await copied('ADD a /', { store, context })).toEqual(['b 644 0:0 old', 'd 644 0:0 file']);
  });

  it('links to files of the image below by taking them along', async () => {
    writeFileSync(join(context, 'a'), tarOf([hardlink('b', 'old')]));
    const base = [[{ path: 'old', content: 'O', mode: 0o600 }]];
    expect(await copied('ADD a /', { store, context, base })).toEqual(['old 600 0:0 O', 'b == old']);
    await expect(copied('ADD a /', { store, context })).rejects.toMatchObject({ code: 'ARCHIVE_LINK' });
  });

  it('turns files into directories and back', async () => {
    writeFileSync(
      join(context, 'a'),
      tarOf([{ path: 'd', content: 'now a file' }, directory('f'), { path: 'f/x', content: 'X' }]),
    );
    const base = [[directory('d'), { path: 'd/old', content: 'O' }, { path: 'f', content: 'F' }]];
    expect(await copied('ADD a /', { store, context, base })).toEqual([
      'd 644 0:0 now a file',
      'f/ 755 0:0',
      'f/.wh..wh..opq 644 0:0 ',
      'f/x 644 0:0 X',
    ]);
    writeFileSync(
      join(context, 'a'),
      tarOf([{ path: 'd', content: 'a file' }, directory('d'), { path: 'd/new', content: 'N' }]),
    );
    expect(await copied('ADD a /', { store, context, base })).toEqual([
      'd/ 755 0:0',
      'd/.wh..wh..opq 644 0:0 ',
      'd/new 644 0:0 N',
    ]);
  });

  it('leaves no temporary file behind', async () => {
    writeFileSync(join(context, 'a'), gzipSync(tarOf(SMALL)));
    writeFileSync(join(context, 'b'), gzipSync(tarOf([{ path: '../x', content: 'x' }])));
    await copied('ADD a /x/', { store, context });
    await copied('ADD b /x/', { store, context }).catch(() => {});
    const left = readdirSync(store.root, { recursive: true, encoding: 'utf8' }).filter((name) => /archive/.test(name));
    expect(left).toEqual([]);
  });
});

describe('COPY of hard links', () => {
  it('keeps what a link shows when a later source replaces its target', async () => {
    mkdirSync(join(context, 'd'));
    mkdirSync(join(context, 'e'));
    writeFileSync(join(context, 'd', 'a'), 'old');
    linkSync(join(context, 'd', 'a'), join(context, 'd', 'b'));
    writeFileSync(join(context, 'e', 'a'), 'new');
    expect((await copied('COPY d e /x/', { store, context })).map((line) => line.replace(/ \d+ 0:0/, ''))).toEqual([
      'x/',
      'x/a new',
      'x/b old',
    ]);
  });

  it('to symbolic links are separate links', async () => {
    mkdirSync(join(context, 'd'));
    symlinkSync('t', join(context, 'd', 'a'));
    linkSync(join(context, 'd', 'a'), join(context, 'd', 'b'));
    expect((await copied('COPY d /x', { store, context })).slice(1)).toEqual(['x/a -> t', 'x/b -> t']);
  });
});
