import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TooLargeError } from './selection.ts';
import { copied, prepare } from './testing/copied.ts';

const temporary = temporaryDirectories();
let store: ImageStore;
let context: string;

beforeEach(() => {
  store = ImageStore.open(temporary());
  context = temporary();
  mkdirSync(join(context, 'd/sub'), { recursive: true });
  for (const path of ['d/a', 'd/b', 'd/sub/c']) writeFileSync(join(context, path), path);
});

afterEach(() => {
  store.close();
});

const digestOf = (line = 'COPY d /x', ignore?: string): string =>
  prepare(line, { store, context, ...(ignore === undefined ? {} : { ignore }) }).digest;

describe('the content digest', () => {
  it.each([
    ['a touched file', () => utimesSync(join(context, 'd/a'), 1, 2)],
    ['a touched directory', () => utimesSync(join(context, 'd/sub'), 1, 2)],
    ['a file written again with the same content', () => writeFileSync(join(context, 'd/a'), 'd/a')],
    ['a new file elsewhere', () => writeFileSync(join(context, 'other'), 'x')],
    ['an unused link', () => symlinkSync('d', join(context, 'l'))],
    ['the place of the context', () => renameSync(context, (context = `${context}-moved`))],
  ])('stays with %s', (_, change) => {
    const before = digestOf();
    change();
    expect(digestOf()).toBe(before);
    rmSync(context, { recursive: true });
  });

  it.each([
    ['content', () => writeFileSync(join(context, 'd/a'), 'D/a')],
    ['length', () => truncateSync(join(context, 'd/a'), 1)],
    ['mode', () => chmodSync(join(context, 'd/a'), 0o600)],
    ['mode of a directory', () => chmodSync(join(context, 'd/sub'), 0o700)],
    ['mode of the source itself', () => chmodSync(join(context, 'd'), 0o700)],
    ['name', () => renameSync(join(context, 'd/a'), join(context, 'd/A'))],
    [
      'names exchanged',
      () => {
        renameSync(join(context, 'd/a'), join(context, 'd/t'));
        renameSync(join(context, 'd/b'), join(context, 'd/a'));
        renameSync(join(context, 'd/t'), join(context, 'd/b'));
      },
    ],
    ['a new file', () => writeFileSync(join(context, 'd/sub/new'), '')],
    ['a new empty directory', () => mkdirSync(join(context, 'd/sub/new'))],
    ['a file gone', () => rmSync(join(context, 'd/sub/c'))],
    [
      'a file become a directory',
      () => {
        rmSync(join(context, 'd/a'));
        mkdirSync(join(context, 'd/a'));
      },
    ],
    [
      'a file become a link',
      () => {
        rmSync(join(context, 'd/a'));
        symlinkSync('b', join(context, 'd/a'));
      },
    ],
    [
      'two files become one',
      () => {
        writeFileSync(join(context, 'd/b'), 'd/a');
        const before = digestOf();
        rmSync(join(context, 'd/b'));
        linkSync(join(context, 'd/a'), join(context, 'd/b'));
        expect(digestOf()).not.toBe(before);
      },
    ],
    ['a FIFO', () => void execFileSync('mkfifo', [join(context, 'd/p')])],
  ])('changes with the %s', (_, change) => {
    const before = digestOf();
    change();
    expect(digestOf()).not.toBe(before);
  });

  it('changes with the target of a link', () => {
    symlinkSync('a', join(context, 'd/l'));
    const before = digestOf();
    rmSync(join(context, 'd/l'));
    symlinkSync('b', join(context, 'd/l'));
    expect(digestOf()).not.toBe(before);
  });

  it('sees only what is copied', () => {
    const before = [digestOf('COPY --exclude=sub d /x'), digestOf('COPY d /x', 'd/sub'), digestOf('COPY d/[ab] /x/')];
    writeFileSync(join(context, 'd/sub/c'), 'changed');
    expect([digestOf('COPY --exclude=sub d /x'), digestOf('COPY d /x', 'd/sub'), digestOf('COPY d/[ab] /x/')]).toEqual(
      before,
    );
  });

  it('differs between contents that only look alike when they are run together', () => {
    const tree = fc.dictionary(
      fc.stringMatching(/^[ab]{1,3}$/),
      fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '0') }),
      { maxKeys: 3 },
    );
    const digestOfTree = (files: Readonly<Record<string, string>>): string => {
      const root = mkdtempSync(join(context, 'tree-'));
      for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
      const { digest } = prepare('COPY . /', { store, context: root });
      rmSync(root, { recursive: true });
      return digest;
    };
    const canonical = (files: Readonly<Record<string, string>>): string =>
      JSON.stringify(Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    fc.assert(
      fc.property(tree, tree, (one, other) => {
        expect(digestOfTree(one) === digestOfTree(other)).toBe(canonical(one) === canonical(other));
      }),
      { numRuns: 60 },
    );
  });

  it('is the same from the file index and from reading', () => {
    const fresh = ImageStore.open(temporary());
    for (const path of ['d/a', 'd/b', 'd/sub/c']) utimesSync(join(context, path), 1_600_000_000, 1_600_000_000);
    const first = digestOf();
    const again = digestOf();
    const elsewhere = prepare('COPY d /x', { store: fresh, context }).digest;
    fresh.close();
    expect(again).toBe(first);
    expect(elsewhere).toBe(first);
  });
});

describe('what changes between digest and layer', () => {
  it('is noticed', async () => {
    const unchanged = prepare('COPY d /x', { store, context });
    expect((await unchanged.write([])).isChanged).toBeUndefined();
    const changed = prepare('COPY d /x', { store, context });
    writeFileSync(join(context, 'd/a'), 'd/A');
    expect((await changed.write([])).isChanged).toBe(true);
    const shorter = prepare('COPY d /x', { store, context });
    truncateSync(join(context, 'd/a'), 1);
    await expect(shorter.write([])).rejects.toMatchObject({ code: expect.stringMatching(/FILE_CHANGED|TAR/) });
  });

  it('is no way out of the context', async () => {
    const task = prepare('COPY d /x', { store, context });
    rmSync(join(context, 'd/a'));
    symlinkSync('/etc/passwd', join(context, 'd/a'));
    await expect(task.write([])).rejects.toMatchObject({ code: 'ELOOP' });
    const fifo = prepare('COPY d/b /x', { store, context });
    rmSync(join(context, 'd/b'));
    execFileSync('mkfifo', [join(context, 'd/b')]);
    // Must not wait for a writer.
    await fifo.write([]).catch(() => {});
  });

  it('leaves no half of a layer', async () => {
    const task = prepare('COPY d /x', { store, context });
    rmSync(join(context, 'd/sub/c'));
    await expect(task.write([])).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(join(store.root, 'blobs', 'sha256'))).toEqual([]);
  });
});

describe('hostile contexts', () => {
  it('links out of the context are followed inside it', async () => {
    mkdirSync(join(context, 'etc'));
    writeFileSync(join(context, 'etc/passwd'), 'mine');
    symlinkSync('/etc/passwd', join(context, 'abs'));
    symlinkSync('../../../../../../../../etc/passwd', join(context, 'up'));
    symlinkSync('/etc', join(context, 'dir'));
    for (const source of ['abs', 'up', 'dir/passwd', 'd*/passwd', './up', '/../../abs']) {
      const line = `COPY ${source} /x/`;
      const entries = await copied(line, { store, context });
      if (source.includes('*')) expect([source, entries]).toEqual([source, []]);
      else expect([source, entries.at(-1)?.split(' ').at(-1)]).toEqual([source, 'mine']);
    }
  });

  it('links to nowhere and loops are told', () => {
    symlinkSync('/etc/shadow', join(context, 'shadow'));
    symlinkSync('loop', join(context, 'loop'));
    expect(() => digestOf('COPY shadow /x')).toThrow(expect.objectContaining({ code: 'COPY_SOURCE_NOT_FOUND' }));
    expect(() => digestOf('COPY loop /x')).toThrow(expect.objectContaining({ code: 'LINK_LOOP' }));
    expect(() => digestOf('COPY loop/x /x')).toThrow(expect.objectContaining({ code: 'LINK_LOOP' }));
  });

  it('FIFOs are copied as such, sockets are left out, neither is read', async () => {
    execFileSync('mkfifo', ['-m', '640', join(context, 'd/pipe')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(context, 'd/socket'), resolve));
    const entries = await copied('COPY --exclude=sub d /x', { store, context });
    await new Promise((resolve) => server.close(resolve));
    expect(entries.map((line) => line.split(' ')[0])).toEqual(['x/', 'x/a', 'x/b', 'x/pipe']);
    expect(entries.at(-1)).toBe('x/pipe fifo 640 0:0');
  });

  it('an ADD of a FIFO does not wait for somebody to write', async () => {
    execFileSync('mkfifo', [join(context, 'pipe')]);
    expect(await copied('ADD pipe /x', { store, context })).toEqual([expect.stringMatching(/^x fifo/)]);
  });

  it('names that would be taken for whiteouts are refused', async () => {
    for (const name of ['.wh.passwd', '.wh..wh..opq']) {
      writeFileSync(join(context, 'd/sub', name), 'x');
      await expect(copied('COPY d /etc', { store, context })).rejects.toMatchObject({ code: 'LAYER_NAME_RESERVED' });
      rmSync(join(context, 'd/sub', name));
    }
  });

  it('names that are not UTF-8, or odd, arrive', async () => {
    const raw = Buffer.concat([Buffer.from(`${context}/d/`), Buffer.from([0xff, 0xfe])]);
    writeFileSync(raw, 'raw');
    mkdirSync(join(context, 'e'));
    writeFileSync(join(context, 'e/new\nline \\ *'), 'odd');
    expect((await copied('COPY d e /x/', { store, context })).filter((line) => /raw|odd/.test(line))).toHaveLength(2);
  });
});

describe('the budget', () => {
  it('is for all sources of an instruction together', () => {
    for (const name of ['f1', 'f2', 'f3', 'f4']) writeFileSync(join(context, name), '0123456789');
    const within = (line: string, files: number, bytes: number): boolean => {
      try {
        prepare(line, { store, context, budget: { files, bytes } });
        return true;
      } catch (error) {
        if (error instanceof TooLargeError) return false;
        throw error;
      }
    };
    expect(within('COPY f* /x/', 4, 40)).toBe(true);
    expect(within('COPY f* /x/', 3, 40)).toBe(false);
    expect(within('COPY f* /x/', 4, 39)).toBe(false);
    expect(within('COPY d /x/', 5, 1000)).toBe(true);
    expect(within('COPY d /x/', 4, 1000)).toBe(false);
  });
});
