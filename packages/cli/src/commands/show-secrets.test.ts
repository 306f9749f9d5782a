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
  const key = [{ path: 'root/.ssh/id_ed25519', content: 'key' }, { path: 'files0' }];
  store.tag('docker.io/library/app:latest', putImage(store, [key], ['DB_PASSWORD=hunter22', 'PATH=/bin']));
  store.tag('docker.io/library/clean:latest', putImage(store, [[]], ['PATH=/bin']));
});

describe('secrets of an image', () => {
  it.each([['page', '--format', 'json'], ['page', '--lang', 'en'], ['inspect'], ['inspect', '--format', 'json']])(
    'are not printed by %s %s %s',
    async (...args) => {
      const { stdout, code } = await cli(...args, 'app');
      expect(code).toBe(0);
      expect(stdout.text).toContain('DB_PASSWORD');
      expect(stdout.text).not.toContain('hunter22');
      const shown = await cli(...args, '--show-secrets', 'app');
      expect(shown.stdout.text).toContain('hunter22');
      expect(shown.stderr.text).toBe('');
    },
  );

  it('are listed by page with the layer of files, also when the layers were read before', async () => {
    const lines = [
      '# environment variable DB_PASSWORD seems to hold a password',
      '# /root/.ssh/id_ed25519 in layer 1 seems to be a private key file',
    ];
    for (const flags of [[], ['--no-sizes'], []]) {
      const { stdout } = await cli('page', '--lang', 'en', ...flags, 'app');
      expect(stdout.text.split('\n').slice(-4, -1)).toEqual([
        'Possible secrets (shown as ******; --show-secrets shows them)',
        ...lines,
      ]);
    }
    expect((await cli('page', '--lang', 'en', 'clean')).stdout.text).not.toContain('secrets');
  });

  it('are noted where they are left out', async () => {
    expect((await cli('inspect', 'app')).stderr.text).toBe(
      'note: what looks like a secret is shown as ****** in 1 place; --show-secrets prints it\n',
    );
    expect((await cli('inspect', 'clean')).stderr.text).toBe('');
    expect((await cli('history', 'app')).stderr.text).toBe('');
  });

  it('stay in documents that are printed byte for byte', async () => {
    const { stdout } = await cli('inspect', '--format', 'raw-config', 'app');
    expect(stdout.text).toContain('hunter22');
  });
});
