import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromByteString, TarReader } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../engine/engine.ts';
import { contextFiles } from './context-files.ts';
import { contextTar } from './context-tar.ts';

const temporary = temporaryDirectories();

/** A directory with these files; a request for it. */
function request(files: Readonly<Record<string, string>>, more: Partial<BuildRequest> = {}): BuildRequest {
  const contextDir = temporary();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(contextDir, path, '..'), { recursive: true });
    writeFileSync(join(contextDir, path), text);
  }
  // The cast: nothing else of a request is read here.
  return { contextDir, dockerfilePath: join(contextDir, 'Dockerfile'), ...more } as BuildRequest;
}

/** What the builder is sent: path → content, or what the entry is. */
async function sent(
  request: BuildRequest,
): Promise<{ readonly dockerfile: string; readonly files: Map<string, string> }> {
  const { dockerfile, bytes } = contextTar(contextFiles(request));
  const files = new Map<string, string>();
  let name = '';
  const reader = new TarReader({
    entry: ({ path, type, linkName }) => {
      name = fromByteString(path);
      const link = linkName === undefined || linkName === '' ? '' : ` ${fromByteString(linkName)}`;
      files.set(name, type === 'file' ? '' : `${type}${link}`);
    },
    data: (chunk) => files.set(name, (files.get(name) ?? '') + chunk.toString()),
  });
  for await (const piece of bytes) reader.push(piece);
  reader.end();
  return { dockerfile, files };
}

describe('contextTar', () => {
  it('sends what is not ignored, links as links', async () => {
    const one = request({
      Dockerfile: 'FROM a',
      '.dockerignore': 'b\n!b/keep',
      'b/drop': '1',
      'b/keep': '2',
      'c/d': '3',
    });
    symlinkSync('../c/d', join(one.contextDir, 'link'));
    linkSync(join(one.contextDir, 'c/d'), join(one.contextDir, 'same'));
    const { dockerfile, files } = await sent(one);
    expect(dockerfile).toBe('Dockerfile');
    expect([...files]).toEqual([
      ['.dockerignore', 'b\n!b/keep'],
      ['Dockerfile', 'FROM a'],
      ['b', 'directory'],
      ['b/keep', '2'],
      ['c', 'directory'],
      ['c/d', '3'],
      ['link', 'symlink ../c/d'],
      ['same', 'hardlink c/d'],
    ]);
  });

  it('sends the Dockerfile even where it is ignored, for the builder to take away again', async () => {
    const { files } = await sent(request({ Dockerfile: 'FROM a', '.dockerignore': '*\n!x', x: '1' }));
    expect(files.get('Dockerfile')).toBe('FROM a');
    // It excludes both, and itself.
    expect(files.get('.dockerignore')).toBe('*\n!x\n.dockerignore\n');
    expect(files.get('x')).toBe('1');
  });

  it('gives a Dockerfile from elsewhere a name that does not get into the image', async () => {
    const one = request({ Dockerfile: 'FROM a', x: '1' }, { dockerfileText: 'FROM b' });
    const { dockerfile, files } = await sent(one);
    expect(dockerfile).toMatch(/^\.dockerfile\.[0-9a-f]{16}$/);
    expect(files.get(dockerfile)).toBe('FROM b');
    expect(files.get('Dockerfile')).toBe('FROM a');
    expect(files.get('.dockerignore')).toBe(`\n.dockerignore\n${dockerfile}\n`);
    const outside = request({ 'ctx/x': '1', 'docker/App': 'FROM c' });
    const there = { ...outside, contextDir: join(outside.contextDir, 'ctx') };
    const app = await sent({ ...there, dockerfilePath: join(outside.contextDir, 'docker/App') });
    expect(app.files.get(app.dockerfile)).toBe('FROM c');
  });

  it("takes the Dockerfile's own ignore file before the context's", async () => {
    const one = request({ 'b/App': 'FROM a', 'b/App.dockerignore': 'x', '.dockerignore': 'y', x: '1', y: '2' });
    const { dockerfile, files } = await sent({ ...one, dockerfilePath: join(one.contextDir, 'b/App') });
    expect(dockerfile).toBe('b/App');
    expect([...files.keys()]).toEqual(['.dockerignore', 'b', 'b/App', 'b/App.dockerignore', 'y']);
  });

  it('streams files larger than a block', async () => {
    const text = 'x'.repeat(3 * (1 << 20) + 7);
    const { files } = await sent(request({ Dockerfile: 'FROM a', large: text }));
    expect(files.get('large') === text).toBe(true);
  });
});
