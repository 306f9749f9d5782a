import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, ImageStore } from '@boxwright/oci';
import { schemaErrors } from '@boxwright/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entry } from '../testing/layer-tar.ts';
import { type DiffOptions, type DiffSource, diffImages } from './diff-images.ts';
import { diffJson } from './diff-json.ts';
import { diffText } from './diff-text.ts';
import type { ImageDiff } from './model.ts';
import { storedImage } from './testing/stored-image.ts';

const schema: unknown = JSON.parse(
  readFileSync(new URL('../../../../docs/schema/diff.schema.json', import.meta.url), 'utf8'),
);

let root: string;
let store: ImageStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boxwright-diff-'));
  store = ImageStore.open(join(root, 'store'));
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

function image(name: string, layers: readonly (readonly Entry[])[], document?: Record<string, unknown>): DiffSource {
  return storedImage(store, name, layers, document);
}

/** The diff, checked against the schema, and as text. */
async function diff(
  before: DiffSource,
  after: DiffSource,
  options?: DiffOptions,
): Promise<ImageDiff & { text: string }> {
  const found = await diffImages(before, after, options);
  expect(schemaErrors(schema, JSON.parse(diffJson(found)))).toEqual([]);
  return { ...found, text: diffText(found, { fileLines: 200 }) };
}

async function paths(before: Entry[], after: Entry[], options?: DiffOptions): Promise<string[]> {
  const { files } = await diff(image('a', [before]), image('b', [after]), options);
  return (files?.list ?? []).map(({ change, path, aspects }) => `${change} ${path} ${aspects.join('+')}`.trim());
}

describe('files', () => {
  it('are added, removed and changed', async () => {
    const file = (path: string, content: string, rest: Partial<Entry> = {}): Entry => ({ path, content, ...rest });
    const before = [
      { path: 'etc' },
      file('etc/a', 'one'),
      file('etc/b', 'same'),
      file('etc/mode', ''),
      file('etc/owner', 'x'),
      file('etc/type', 'x'),
      file('etc.d', 'x'),
      { path: 'link', link: 'a' },
      file('gone', '12345'),
      file('xattr', '', { xattrs: new Map([['user.a', Buffer.from('1')]]) }),
    ];
    const after = [
      { path: 'etc' },
      file('etc/a', 'two', { mtimeNs: 5n }),
      file('etc/b', 'same', { mtimeNs: 5n }),
      file('etc/mode', '', { mode: 0o4755 }),
      file('etc/owner', 'x', { uid: 7 }),
      { path: 'etc/type' },
      file('etc.d', 'x'),
      { path: 'link', link: 'b' },
      file('new', '1234567'),
      file('xattr', '', { xattrs: new Map([['user.a', Buffer.from('2')]]) }),
    ];
    expect(await paths(before, after)).toEqual([
      'changed /etc/a content',
      'changed /etc/mode mode',
      'changed /etc/owner owner',
      'changed /etc/type type',
      'removed /gone',
      'changed /link link',
      'added /new',
      'changed /xattr xattrs',
    ]);
    expect(await paths(before, after, { times: true })).toContain('changed /etc/b time');
    const { files, text } = await diff(image('a', [before]), image('b', [after]));
    expect(files).toMatchObject({ added: 1, removed: 1, changed: 6, onlyTimes: 1, bytesBefore: 9, bytesAfter: 10 });
    expect(text).toContain(
      '\nFiles: 1 added, 1 removed, 6 changed, 9.00B -> 10.00B (+1.00B); 1 differ in their time alone\n',
    );
    expect(text).toContain('\n  ~ /etc/mode  mode 0644 -> 4755\n');
    expect(text).toContain('\n  ~ /etc/type  file -> directory\n');
    expect(text).toContain('\n  ~ /link  a -> b\n');
    expect(text).toContain('\n  - /gone  5.00B\n');
  });

  it('are compared in the order in which trees are walked', async () => {
    const dir = (path: string): Entry => ({ path });
    const before = [dir('a'), { path: 'a/x', content: '' }, { path: 'a-b', content: '' }, { path: 'a.b', content: '' }];
    const after = [dir('a'), { path: 'a/y', content: '' }, { path: 'a.b', content: '' }, { path: 'b', content: '' }];
    expect(await paths(before, after)).toEqual(['removed /a/x', 'added /a/y', 'removed /a-b', 'added /b']);
    expect(await paths([], before)).toHaveLength(4);
    expect(await paths(before, [])).toHaveLength(4);
  });

  it('are merged over layers, whiteouts honoured', async () => {
    const base: Entry[] = [
      { path: 'a', content: '1' },
      { path: 'b', content: '2' },
    ];
    const hidden = image('x', [base, [{ path: '.wh.a', content: '' }]]);
    const without = image('y', [[{ path: 'b', content: '2' }]]);
    const { files, different, text } = await diff(hidden, without);
    expect(files).toMatchObject({ added: 0, removed: 0, changed: 0, list: [] });
    expect(different).toBe(true);
    expect(text).toContain('\nFiles: the same');
  });

  it('that are one directory are one line, and lists are cut', async () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ path: `opt/x/${index}`, content: '12' }));
    const after: Entry[] = [{ path: 'opt' }, { path: 'opt/x' }, ...many, { path: 'opt.txt', content: '' }];
    const found = await diff(image('a', [[]]), image('b', [after]), { fileLimit: 10 });
    expect(found.files).toMatchObject({ added: 53, truncated: true });
    expect(found.files?.list).toHaveLength(10);
    const whole = await diff(image('a', [[]]), image('b', [after]));
    expect(whole.text).toMatch(/\n {2}\+ \/opt\/ {2}50 files, 100\.00B\n {2}\+ \/opt\.txt {2}0\.00B$/);
    expect(diffText(whole, { fileLines: 1 })).toMatch(/\n {4}… 1 more$/);
  });

  it('of layers that both have are not read', async () => {
    const shared = [{ path: 'big', content: 'x'.repeat(1000) }];
    const before = image('a', [shared]);
    const after = image('b', [shared, [{ path: 'new', content: '' }]]);
    const { files } = before;
    if (files === undefined) throw new Error('the image has files');
    files.read = () => {
      throw new Error('nothing has to be read');
    };
    const found = await diff(before, after);
    expect(found.layers).toMatchObject({ sharedBase: 1, shared: 1, onlyBefore: [], onlyAfter: [{ index: 1 }] });
    expect(found.files).toMatchObject({ added: 1, changed: 0, removed: 0 });
  });
});

describe('packages', () => {
  const status = (...packages: readonly (readonly [string, string, string?])[]): string =>
    packages
      .map(
        ([name, version, state = 'install ok installed']) =>
          `Package: ${name}\nStatus: ${state}\nVersion: ${version}\nDescription: x\n y\n`,
      )
      .join('\n');

  it('of dpkg, apk, Python and npm are compared', async () => {
    const before = image('a', [
      [
        {
          path: 'var/lib/dpkg/status',
          content: status(['curl', '8.1-1'], ['libc6', '2.36'], ['old', '1', 'deinstall ok config-files']),
        },
        { path: 'lib/apk/db/installed', content: 'P:musl\nV:1.2.4-r2\n\nP:busybox\nV:1.36\n\n' },
        { path: 'usr/lib/python3/site-packages/Flask_Login-0.6.2.dist-info' },
        { path: 'usr/lib/python3/site-packages/same-1.dist-info' },
        { path: 'app/node_modules/@scope/x/package.json', content: '{"name":"@scope/x","version":"1.0.0"}' },
        { path: 'app/node_modules/moved/package.json', content: '{"name":"moved","version":"3.0.0"}' },
        { path: 'app/node_modules/bad/package.json', content: '{' },
      ],
    ]);
    const after = image('b', [
      [
        { path: 'var/lib/dpkg/status', content: status(['curl', '8.2-1'], ['libc6', '2.36'], ['new', '1']) },
        { path: 'lib/apk/db/installed', content: 'P:musl\nV:1.2.5-r0\n\nP:busybox\nV:1.36\n' },
        { path: 'usr/lib/python3/site-packages/flask_login-0.6.3.dist-info' },
        { path: 'usr/lib/python3/site-packages/same-1.dist-info' },
        { path: 'app/node_modules/@scope/x/package.json', content: '{"name":"@scope/x","version":"2.0.0"}' },
        { path: 'app/node_modules/y/node_modules/moved/package.json', content: '{"name":"moved","version":"3.0.0"}' },
        { path: 'var/lib/rpm/rpmdb.sqlite', content: 'x' },
      ],
    ]);
    const { packages, text } = await diff(before, after);
    expect(packages?.list.map((one) => [one.manager, one.name, one.before.join(), one.after.join()])).toEqual([
      ['apk', 'musl', '1.2.4-r2', '1.2.5-r0'],
      ['dpkg', 'curl', '8.1-1', '8.2-1'],
      ['dpkg', 'new', '', '1'],
      ['npm', '@scope/x', '1.0.0', '2.0.0'],
      ['python', 'flask-login', '0.6.2', '0.6.3'],
    ]);
    expect(packages?.unread).toEqual([
      { manager: 'npm', reason: 'invalid', count: 1 },
      { manager: 'rpm', reason: 'format', count: 1 },
    ]);
    expect(text).toContain(
      '\nPackages\n  ~ apk musl 1.2.4-r2 -> 1.2.5-r0\n  ~ dpkg curl 8.1-1 -> 8.2-1\n  + dpkg new 1\n',
    );
  });

  it('of distroless images are read, and too many are said to be unread', async () => {
    const before = image('a', [[{ path: 'var/lib/dpkg/status.d/tzdata', content: 'Package: tzdata\nVersion: 1\n' }]]);
    const files = Array.from({ length: 300 }, (_, index) => ({
      path: `node_modules/p${index}/package.json`,
      content: `{"name":"p${index}","version":"1"}`,
    }));
    const after = image('b', [
      [{ path: 'var/lib/dpkg/status.d/tzdata', content: 'Package: tzdata\nVersion: 2\n' }, ...files],
    ]);
    const { packages } = await diff(before, { ...after, isNear: false });
    expect(packages?.list[0]).toEqual({ manager: 'dpkg', name: 'tzdata', before: ['1'], after: ['2'] });
    expect(packages?.list).toHaveLength(201);
    expect(packages?.unread).toEqual([{ manager: 'npm', reason: 'limit', count: 100 }]);
  });
});

describe('settings and history', () => {
  it('are compared member by member', async () => {
    const before = image('a', [[]], {
      created: '2026-01-01T00:00:00Z',
      config: {
        Env: ['A=1', 'B=2', 'C=3'],
        Cmd: ['x'],
        Labels: { l: '1' },
        ExposedPorts: { '80/tcp': {} },
        User: 'app',
        Odd: { b: 1, a: [2] },
      },
    });
    const after = image('b', [[]], {
      created: '2026-01-02T00:00:00Z',
      config: {
        Env: ['A=1', 'B=3', 'D=4'],
        Cmd: ['x', 'y'],
        Labels: { l: '1', m: '' },
        Odd: { a: [2], b: 2 },
        Healthcheck: { Test: ['NONE'] },
      },
      docker_version: '1',
    });
    const { settings, text } = await diff(before, after);
    expect(
      settings.map(({ field, name = '', before: one = '', after: two = '' }) => [field, name, one, two].join(' ')),
    ).toEqual([
      'created  2026-01-01T00:00:00Z 2026-01-02T00:00:00Z',
      'User  app ',
      'Cmd  ["x"] ["x","y"]',
      expect.stringMatching(/^Healthcheck {3}\{/),
      'Env B 2 3',
      'Env C 3 ',
      'Env D  4',
      'Labels m  ',
      'ExposedPorts 80/tcp  ',
      'docker_version   "1"',
      'Odd  {"a":[2],"b":1} {"a":[2],"b":2}',
    ]);
    expect(text).toContain('\n  ~ Env B: 2 -> 3\n  - Env C: 3\n  + Env D: 4\n  + Labels m\n  - ExposedPorts 80/tcp\n');
  });

  it('notice the order of variables', async () => {
    const { settings } = await diff(
      image('a', [], { config: { Env: ['A=1', 'B=2'] } }),
      image('b', [], { config: { Env: ['B=2', 'A=1'] } }),
    );
    expect(settings).toEqual([{ field: 'Env', before: 'A B', after: 'B A' }]);
  });

  it('align rows, and tell rows whose layer is another', async () => {
    const history = (...rows: string[]) => ({ history: rows.map((created_by) => ({ created_by })) });
    const one: Entry[] = [{ path: 'a', content: '1' }];
    const before = image('a', [[], one], history('FROM x', 'RUN  /bin/sh -c make # buildkit'));
    const after = image(
      'b',
      [[], [{ path: 'n', content: '' }], [{ path: 'a', content: '2' }]],
      history('FROM x', 'COPY n / # buildkit', 'RUN  /bin/sh -c make # buildkit'),
    );
    const found = await diff({ ...before, layerSizes: [0, 1] }, { ...after, layerSizes: [0, 0, 1] });
    expect(found.history).toMatchObject({
      equal: 1,
      rows: [
        { change: 'added', after: { entry: 1, text: 'COPY n / # buildkit', size: 0 } },
        { change: 'rebuilt', before: { entry: 1, size: 1 }, after: { entry: 2, size: 1 } },
      ],
    });
    expect(found.text).toContain('  ~ RUN /bin/sh -c make # buildkit  [another layer: 1.00B -> 1.00B]');
  });

  it('show no secrets, and yet that one changed', async () => {
    const config = (password: string) => ({
      config: { Env: [`DB_PASSWORD=${password}`], Cmd: ['x', '--token', password], Labels: { token: password } },
      history: [{ created_by: `ENV DB_PASSWORD=${password}`, empty_layer: true }],
    });
    const [before, after] = [image('a', [], config('hunter22')), image('b', [], config('hunter33'))];
    const { settings, text } = await diff(before, after);
    expect(settings.map(({ field, before: one, after: two }) => [field, one, two])).toEqual([
      ['Cmd', '["x","--token","******"]', '["x","--token","******"]'],
      ['Env', '******', '******'],
      ['Labels', '******', '******'],
    ]);
    expect(text).not.toContain('hunter');
    expect((await diff(before, after, { showSecrets: true })).text).toContain(
      '  ~ Env DB_PASSWORD: hunter22 -> hunter33',
    );
  });
});

describe('verdict', () => {
  it('same bytes, same image, other image', async () => {
    const before = image('a', [[{ path: 'a', content: '' }]]);
    expect(await diff(before, { ...before, name: 'b' })).toMatchObject({ same: 'manifest', different: false });
    const repacked = await diff(before, { ...before, digest: digestOf('x') });
    expect(repacked).toMatchObject({ same: 'image', different: false, files: { added: 0 } });
    expect(repacked.text).toContain('The images are the same (one config, one set of files)');
    const { files: _, ...unread } = image('c', [[]]);
    const other = await diff(before, unread);
    expect(other).toMatchObject({ same: 'none', different: true });
    expect(other).not.toHaveProperty('files');
    expect(other.text).toMatch(/Files and packages were not compared\.$/);
  });

  it('U10: cannot steer a terminal', async () => {
    const evil = '\u001b]52;c;x\u0007\u202e\n';
    const entry: Entry[] = [
      { path: `d${evil}`, content: 'x' },
      { path: 'l', link: evil },
      { path: `${evil}.dist-info` },
    ];
    const settings = {
      config: { Env: [`${evil}=1`], Labels: { [evil]: evil, __proto__: 'x' }, User: evil },
      [`x${evil}`]: 1,
    };
    const found = await diff(image(evil, [[]]), image(evil, [entry], { ...settings, author: evil }));
    expect(found.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    const { text: _, ...json } = found;
    expect(diffJson(json)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});
