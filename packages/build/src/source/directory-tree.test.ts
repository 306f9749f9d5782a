import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseIgnoreFile } from '@boxwright/dockerfile';
import { fromByteString, toByteString } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { checkContextDirectory, DirectoryTree } from './directory-tree.ts';
import { resolveLinks } from './resolve.ts';

const temporary = temporaryDirectories();

function context(files: readonly string[]): string {
  const root = temporary();
  for (const file of files) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    if (file.endsWith('/')) mkdirSync(join(root, file), { recursive: true });
    else writeFileSync(join(root, file), file);
  }
  return root;
}

function paths(tree: DirectoryTree, directory = ''): string[] {
  return tree.list(toByteString(directory)).flatMap((node) => {
    const path = fromByteString(node.path);
    return node.type === 'directory' ? [path, ...paths(tree, path)] : [path];
  });
}

describe('DirectoryTree', () => {
  it('lists in byte order, everything owned by root', () => {
    const tree = new DirectoryTree(context(['b', 'a/x', 'A', 'ä', 'a.b', 'empty/']), undefined);
    expect(paths(tree)).toEqual(['A', 'a', 'a/x', 'a.b', 'b', 'empty', 'ä']);
    expect(tree.list(toByteString('')).every(({ uid, gid }) => uid === 0 && gid === 0)).toBe(true);
  });

  it('keeps names that are not UTF-8', () => {
    const root = temporary();
    const name = Buffer.from([0x61, 0xff, 0x62]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), 'x');
    const [node] = new DirectoryTree(root, undefined).list(toByteString(''));
    expect(node?.path).toBe(toByteString(name));
    expect(new DirectoryTree(root, undefined).lookup(toByteString(name))?.size).toBe(1);
  });

  it.each([
    ['*\n!**/*.txt', ['d', 'd/e', 'd/e/2.txt', 'd/1.txt', 'r.txt']],
    ['d', ['o.md', 'r.txt']],
    ['d\n!d/e/2.txt', ['d', 'd/e', 'd/e/2.txt', 'o.md', 'r.txt']],
    ['d/*\n!d/e', ['d', 'd/e', 'd/e/2.txt', 'd/e/3.md', 'o.md', 'r.txt']],
    ['**/*.md\n!o.md', ['d', 'd/1.txt', 'd/e', 'd/e/2.txt', 'o.md', 'r.txt']],
    ['*', []],
  ])('leaves out what %j says, and keeps the parents of what is let in again', (ignore, expected) => {
    const root = context(['d/1.txt', 'd/e/2.txt', 'd/e/3.md', 'o.md', 'r.txt']);
    const tree = new DirectoryTree(root, parseIgnoreFile(ignore, { file: '.dockerignore' }));
    expect(paths(tree).toSorted()).toEqual(expected.toSorted());
    for (const path of expected) expect(tree.lookup(toByteString(path))).toBeDefined();
    for (const path of ['d/e/3.md', 'o.md', 'd', 'd/1.txt'].filter((name) => !expected.includes(name))) {
      expect(tree.lookup(toByteString(path))).toBeUndefined();
    }
  });

  it('does not look into directories that are left out as a whole', () => {
    const root = context(['keep/a', 'huge/a', 'other/b']);
    const listed: string[] = [];
    // What is read shows in what is asked of the matcher.
    const matcher = parseIgnoreFile('huge\nother\n!keep', { file: '.dockerignore' });
    const tree = new DirectoryTree(root, {
      ...matcher,
      matches(path: string, isDirectory: boolean) {
        listed.push(path);
        return matcher.matches(path, isDirectory);
      },
      needsDescend: (path: string) => matcher.needsDescend(path),
    });
    expect(paths(tree)).toEqual(['keep', 'keep/a']);
    expect(listed.filter((path) => path.startsWith('huge/') || path.startsWith('other/'))).toEqual([]);
  });

  it('sees links, hard links, FIFOs; sockets have no place in an image', async () => {
    const root = context(['f']);
    symlinkSync('/etc/passwd', join(root, 'abs'));
    symlinkSync('gone', join(root, 'dangling'));
    linkSync(join(root, 'f'), join(root, 'g'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    chmodSync(join(root, 'f'), 0o4750);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    const nodes = new Map(
      new DirectoryTree(root, undefined).list(toByteString('')).map((node) => [fromByteString(node.path), node]),
    );
    await new Promise((resolve) => server.close(resolve));
    expect([...nodes.keys()]).toEqual(['abs', 'dangling', 'f', 'g', 'pipe']);
    expect(nodes.get('abs')).toMatchObject({ type: 'symlink', linkName: '/etc/passwd', mode: 0o777 });
    expect(nodes.get('pipe')).toMatchObject({ type: 'fifo', size: 0 });
    expect(nodes.get('f')).toMatchObject({ mode: 0o4750, size: 1 });
    expect(nodes.get('f')?.inode).toBe(nodes.get('g')?.inode);
    expect(nodes.get('f')?.inode).toBeDefined();
  });

  it('never goes through a link by itself: what a path names is found through resolveLinks', () => {
    const outside = context(['secret']);
    const root = context(['in/file']);
    symlinkSync(outside, join(root, 'way-out'));
    symlinkSync('../../../../../../..', join(root, 'up'));
    symlinkSync('/in', join(root, 'absolute'));
    const tree = new DirectoryTree(root, undefined);
    expect(tree.lookup(toByteString('way-out/secret'))).toBeUndefined();
    expect(resolveLinks(tree, 'way-out/secret')).toBe(`${outside.slice(1)}/secret`);
    expect(tree.lookup(resolveLinks(tree, 'way-out/secret'))).toBeUndefined();
    expect(resolveLinks(tree, 'up/in/file')).toBe('in/file');
    expect(resolveLinks(tree, 'absolute/file')).toBe('in/file');
    expect(resolveLinks(tree, '../../in/../in/file')).toBe('in/file');
  });
});

describe('resolveLinks', () => {
  it('gives up on loops', () => {
    const root = temporary();
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    expect(() => resolveLinks(new DirectoryTree(root, undefined), 'a/x')).toThrow(
      expect.objectContaining({ code: 'LINK_LOOP' }),
    );
  });

  it('keeps the last link when told so', () => {
    const root = context(['d/f']);
    symlinkSync('d', join(root, 'l'));
    symlinkSync('f', join(root, 'd', 'm'));
    const tree = new DirectoryTree(root, undefined);
    expect(resolveLinks(tree, 'l/m', false)).toBe('d/m');
    expect(resolveLinks(tree, 'l/m')).toBe('d/f');
    expect(resolveLinks(tree, 'missing/l', false)).toBe('missing/l');
  });
});

describe('checkContextDirectory', () => {
  it('wants a directory', () => {
    const root = context(['f']);
    expect(() => checkContextDirectory(root)).not.toThrow();
    for (const path of [join(root, 'missing'), join(root, 'f'), join(root, 'f', 'x')]) {
      expect(() => checkContextDirectory(path)).toThrow(expect.objectContaining({ code: 'CONTEXT_NOT_FOUND' }));
    }
  });
});
