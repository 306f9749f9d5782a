import { join } from 'node:path';
import { ImageStore } from '@boxwright/oci';
import { temporaryDirectories } from '@boxwright/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { putImage } from '../testing/store-with-image.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
let root: string;

async function cli(...args: string[]): Promise<TestContext & { code: number }> {
  const context = testContext({ env: { BOXWRIGHT_HOME: root }, cwd: root });
  return { ...context, code: await runCli(args, context) };
}

beforeEach(() => {
  root = join(temporaryDirectory(), 'store');
  using store = ImageStore.open(root);
  const base = [{ path: 'bin' }, { path: 'bin/app', content: 'x'.repeat(1379) }];
  const status = (version: string) => ({
    path: 'var/lib/dpkg/status',
    content: `Package: curl\nStatus: install ok installed\nVersion: ${version}\n`,
  });
  const many = Array.from({ length: 150 }, (_, index) => ({ path: `bin/${index}`, content: '' }));
  store.tag('docker.io/library/app:1', putImage(store, [base, [status('8.1')]], ['A=1', 'TOKEN=hunter22']));
  store.tag('docker.io/library/app:2', putImage(store, [base, [status('8.2')]], ['A=2', 'TOKEN=hunter22']));
  store.tag('docker.io/library/app:many', putImage(store, [[...base, ...many]]));
  store.tag('docker.io/library/same:1', putImage(store, [base, [status('8.1')]], ['A=1', 'TOKEN=hunter22']));
});

describe('diff', () => {
  it('tells what differs, and exits with 1', async () => {
    const { stdout, stderr, code } = await cli('diff', 'app:1', 'app:2');
    expect(stderr.text).toBe('');
    expect(code).toBe(1);
    const [first, second, ...rest] = stdout.text.split('\n');
    expect(first).toMatch(/^--- app:1 {2}linux\/amd64 {2}sha256:[0-9a-f]{64} {2}1\.44KB$/);
    expect(second).toMatch(/^\+\+\+ app:2 {2}/);
    expect(rest.join('\n')).toMatch(
      new RegExp(
        [
          '^The images differ\\.',
          '',
          'Settings',
          '  ~ Env A: 1 -> 2',
          '',
          'History \\(2 rows are the same\\)',
          '  ~ COPY files1 / # buildkit  \\[another layer: 56\\.00B -> 56\\.00B\\]',
          '',
          'Layers',
          '    1 in common from the base on, 1 in all',
          '  - 1 of 2 \\(56\\.00B\\)',
          '  \\+ 1 of 2 \\(56\\.00B\\)',
          '    size 1\\.44KB -> 1\\.44KB \\(\\+0\\.00B\\)',
          '    compressed \\d.*',
          '',
          'Packages',
          '  ~ dpkg curl 8\\.1 -> 8\\.2',
          '',
          'Files: 0 added, 0 removed, 1 changed',
          '  ~ /var/lib/dpkg/status  content',
          '$',
        ].join('\n'),
      ),
    );
  });

  it('of the same image exits with 0 and reads no layer', async () => {
    const { stdout, code } = await cli('diff', 'app:1', 'same:1');
    expect(code).toBe(0);
    expect(stdout.text.split('\n')[2]).toBe('The images are the same, byte for byte.');
    expect((await cli('diff', '--quiet', 'app:1', 'same:1')).code).toBe(0);
    const quiet = await cli('diff', '-q', 'app:1', 'app:2');
    expect([quiet.code, quiet.stdout.text]).toEqual([1, '']);
  });

  it('prints JSON, without files where they are not wanted', async () => {
    const { stdout, code } = await cli('diff', '--format', 'json', 'app:1', 'app:2');
    expect(code).toBe(1);
    expect(JSON.parse(stdout.text)).toMatchObject({
      schemaVersion: 1,
      different: true,
      before: { name: 'app:1', size: 1435 },
      files: { changed: 1 },
      packages: { list: [{ name: 'curl' }] },
    });
    const unread: unknown = JSON.parse(
      (await cli('diff', '--no-files', '--format', 'json', 'app:1', 'app:2')).stdout.text,
    );
    expect(unread).not.toHaveProperty('files');
  });

  it('cuts long lists of files, and does not when it is told so', async () => {
    const cut = await cli('diff', 'app:1', 'app:many');
    expect(cut.stdout.text).toMatch(/\n {4}… 51 more\n$/);
    const { stdout } = await cli('diff', '--all', 'app:1', 'app:many');
    expect(stdout.text).not.toContain('…');
    expect(stdout.text).toContain('\n  - Env TOKEN: ******\n');
    expect((await cli('diff', '--show-secrets', 'app:1', 'app:many')).stdout.text).toContain('hunter22');
  });

  it('refuses what it cannot do', async () => {
    expect((await cli('diff', 'app:1')).code).toBe(2);
    const p = ['--platform', 'linux/amd64'];
    expect((await cli('diff', ...p, ...p, ...p, 'app:1', 'app:2')).code).toBe(2);
    const missing = await cli('diff', 'oci:nowhere', 'app:2');
    expect(missing.code).toBe(1);
    expect(missing.stdout.text).toBe('');
    expect(missing.stderr.text).toMatch(/\[\w+\]/);
  });
});
