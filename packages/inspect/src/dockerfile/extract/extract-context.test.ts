import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildImageConfig,
  type Descriptor,
  descriptorOf,
  digestOf,
  type ImageLayer,
  type ImageSource,
  OCI_LAYER,
  parseImageConfig,
  type TarEntry,
  TarWriter,
  toByteString,
} from '@boxwright/oci';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reconstructDockerfile } from '../reconstruct.ts';
import { type ExtractedContext, extractContext } from './extract-context.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'boxwright-extract-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** An entry: a file with its content, a directory, or anything else by its fields. */
type Entry = Partial<Omit<TarEntry, 'path' | 'linkName'>> & {
  readonly path: string;
  readonly content?: string;
  readonly linkName?: string;
};

const file = (path: string, content = path): Entry => ({ path, content });
const dir = (path: string): Entry => ({ path });
const link = (path: string, linkName: string): Entry => ({ path, type: 'symlink', linkName });

function tarOf(entries: readonly Entry[]): Buffer {
  const chunks: Buffer[] = [];
  const tar = new TarWriter((chunk) => chunks.push(Buffer.from(chunk)));
  for (const { path, content, linkName, ...fields } of entries) {
    const data = Buffer.from(content ?? '');
    tar.writeEntry({
      path: toByteString(path),
      type: content === undefined ? 'directory' : 'file',
      mode: content === undefined ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      size: data.length,
      mtimeNs: 1_600_000_000_000_000_000n,
      ...(linkName === undefined ? {} : { linkName: toByteString(linkName) }),
      ...fields,
    });
    if (data.length > 0) tar.writeData(data);
    tar.endEntry();
  }
  tar.finish();
  return Buffer.concat(chunks);
}

/** Extracts an image with a root file system and one COPY or ADD for each row. */
async function extract(
  rows: readonly (readonly [createdBy: string, entries: readonly Entry[]])[],
): Promise<ExtractedContext> {
  const blobs = new Map<string, Buffer>();
  const layers: ImageLayer[] = [];
  for (const [, entries] of rows) {
    const bytes = tarOf(entries);
    const descriptor = descriptorOf(bytes, OCI_LAYER);
    blobs.set(descriptor.digest, bytes);
    layers.push({ descriptor, diffId: digestOf(bytes) });
  }
  const read = ({ digest }: Descriptor): Buffer => blobs.get(digest) ?? Buffer.alloc(0);
  const source: ImageSource = {
    description: 'test',
    has: async () => true,
    readDocument: async (descriptor) => read(descriptor),
    readBlob: async function* (descriptor) {
      yield read(descriptor);
    },
  };
  const config = parseImageConfig(
    buildImageConfig({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { diffIds: layers.map(({ diffId }) => diffId) },
      history: rows.map(([createdBy]) => ({ createdBy, emptyLayer: false })),
    }),
  );
  const target = join(directory, 'out');
  mkdirSync(target);
  return await extractContext({ dockerfile: reconstructDockerfile(config), layers, source, directory: target });
}

/** Everything below the extracted directory, sorted; directories end with a slash. No link is followed. */
function found(below = ''): string[] {
  return readdirSync(join(directory, 'out', below), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(below, entry.name);
      return entry.isDirectory() ? [`${path}/`, ...found(path)] : [path];
    })
    .sort();
}

const content = (path: string): string => readFileSync(join(directory, 'out', path), 'utf8');

describe('extractContext', () => {
  it('puts the files of COPY where they were in the context', async () => {
    const { findings } = await extract([
      ['COPY a.txt /etc/b.txt # buildkit', [dir('etc'), file('etc/b.txt', '1')]],
      ['COPY one sub/two dir /dst/ # buildkit', [file('dst/one'), file('dst/two'), file('dst/x'), file('dst/y/z')]],
      ['COPY src/*.conf /conf # buildkit', [file('conf/a.conf'), file('conf/b.conf')]],
      ['COPY ./app /opt/app # buildkit', [file('opt/app/main.js'), link('opt/app/link', '/etc/passwd')]],
      ['WORKDIR /srv', [dir('srv')]],
      ['COPY file . # buildkit', [file('srv/file')]],
    ]);
    expect(findings).toEqual([]);
    expect(found()).toEqual(
      [
        'context/',
        'context/a.txt',
        'context/app/',
        'context/app/link',
        'context/app/main.js',
        'context/dir/',
        'context/dir/x',
        'context/dir/y/',
        'context/dir/y/z',
        'context/file',
        'context/one',
        'context/src/',
        'context/src/a.conf',
        'context/src/b.conf',
        'context/sub/',
        'context/sub/two',
      ].sort(),
    );
    expect(content('context/a.txt')).toBe('1');
    expect(content('context/sub/two')).toBe('dst/two');
    expect(statSync(join(directory, 'out/context/file')).mtimeMs).toBe(1_600_000_000_000);
    expect(lstatSync(join(directory, 'out/context/app/link')).isSymbolicLink()).toBe(true);
  });

  it('keeps --from and files that differ in directories of their own', async () => {
    const { contexts, dockerfile } = await extract([
      ['COPY /uv /uvx /bin/ # buildkit', [file('usr/bin/uv'), file('usr/bin/uvx')]],
      ['COPY version /v1 # buildkit', [file('v1', 'one')]],
      ['COPY version /v2 # buildkit', [file('v2', 'two')]],
      ['COPY version /v3 # buildkit', [file('v3', 'one')]],
    ]);
    expect([...contexts.keys()]).toEqual(['lost-1', 'lost-2']);
    expect(dockerfile.steps.map(({ text }) => text)).toEqual([
      'COPY --from=lost-1 /uv /uvx /bin/',
      'COPY version /v1',
      'COPY --from=lost-2 version /v2',
      'COPY version /v3',
    ]);
    expect([content('lost-1/uv'), content('lost-2/version'), content('context/version')]).toEqual([
      'usr/bin/uv',
      'two',
      'one',
    ]);
  });

  it('writes heredocs into the Dockerfile again', async () => {
    const { dockerfile } = await extract([
      ['COPY <<EOF /etc/conf # buildkit', [file('etc/conf', 'key = $value\n')]],
      ['COPY <<a <<b c /dir/ # buildkit', [file('dir/a', 'A\n'), file('dir/b', 'no newline'), file('dir/c')]],
    ]);
    expect(dockerfile.steps.map(({ text, losses }) => [text, losses.map(({ detail }) => detail)])).toEqual([
      ['COPY <<"EOF" /etc/conf\nkey = $value\nEOF', []],
      ['COPY c <<"a" <<"b" /dir/\nA\na\nb', ['b']],
    ]);
    expect(content('context/c')).toBe('dir/c');
  });

  it('finds what the classic builder copied', async () => {
    const hash = 'b'.repeat(64);
    await extract([
      [`/bin/sh -c #(nop) COPY file:${hash} in /etc/app.conf `, [file('etc/app.conf', 'x')]],
      [`/bin/sh -c #(nop) COPY dir:${hash} in /app `, [file('app/a'), file('app/b/c')]],
    ]);
    expect(content('context/file-bbbbbbbbbbbb')).toBe('x');
    expect(content('context/dir-bbbbbbbbbbbb/b/c')).toBe('app/b/c');
  });

  it('says what it leaves out', async () => {
    const { findings } = await extract([
      [
        'COPY d /d # buildkit',
        [
          { ...file('d/other'), uid: 1000 },
          { path: 'd/null', type: 'char', devMajor: 1, devMinor: 3 },
          { ...file('d/suid'), mode: 0o4755 },
        ],
      ],
      ['COPY x /nowhere/x # buildkit', [file('a'), file('b')]],
      ['COPY one two /e/ # buildkit', [file('e/one'), file('e/two'), file('e/three')]],
    ]);
    expect(findings).toEqual([
      { kind: 'special', row: 0, path: '/d/null', count: 1 },
      { kind: 'owner', row: 0, path: '/d/other', count: 1 },
      { kind: 'attributes', row: 0, path: '/d/suid', count: 1 },
      { kind: 'nothing-found', row: 1, count: 1 },
      { kind: 'unexplained', row: 2, path: '/e/three', count: 1 },
    ]);
    expect(existsSync(join(directory, 'out/context/d/null'))).toBe(false);
    expect(statSync(join(directory, 'out/context/d/suid')).mode & 0o7777).toBe(0o755);
  });

  it('keeps further names of a file', async () => {
    await extract([['COPY d /d # buildkit', [file('d/a'), { path: 'd/b', type: 'hardlink', linkName: 'd/a' }]]]);
    expect(statSync(join(directory, 'out/context/d/a')).ino).toBe(statSync(join(directory, 'out/context/d/b')).ino);
  });
});

describe('hostile layers and rows', () => {
  it.each([
    [
      'a link that a later COPY goes through',
      [
        ['COPY d /d # buildkit', [link('d/x', '../../../..')]],
        ['COPY d/x/evil /e # buildkit', [file('e')]],
      ],
      ['context/', 'context/d/', 'context/d/x', 'lost-1/', 'lost-1/d/', 'lost-1/d/x/', 'lost-1/d/x/evil'],
    ],
    ['sources that climb', [['COPY ../../evil /e # buildkit', [file('e')]]], ['context/', 'context/evil']],
    [
      'a link in the way of its own directory',
      [['COPY a a/b /d/ # buildkit', [link('d/a', '../../..'), file('d/b')]]],
      ['context/', 'context/a'],
    ],
  ] as const)('%s: nothing lands outside', async (_, rows, expected) => {
    await extract(rows);
    expect(readdirSync(directory)).toEqual(['out']);
    expect(found()).toEqual(expected);
    expect(existsSync(join(directory, '..', 'evil'))).toBe(false);
  });

  it('entries that climb are refused, and nothing is left in the way', async () => {
    await expect(extract([['COPY a /a # buildkit', [file('../evil')]]])).rejects.toMatchObject({
      code: 'LAYER_PATH_INVALID',
    });
    expect(readdirSync(directory)).toEqual(['out']);
    expect(readdirSync(join(directory, 'out'))).toEqual([]);
  });
});
