import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxwright, boxwrightOk } from './support/boxwright.ts';
import { run } from './support/run.ts';
import { makeScene, missingBases, type Scene, writeFiles } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

/** As much of the JSON as is looked at here. */
interface Diff {
  readonly same: string;
  readonly different: boolean;
  readonly settings: readonly { readonly field: string; readonly name?: string }[];
  readonly layers: { readonly sharedBase: number };
  readonly packages?: { readonly list: readonly { readonly name: string }[] };
  readonly files?: { readonly list: readonly { readonly path: string; readonly change: string }[] };
}

async function diff(home: string, ...args: string[]): Promise<Diff & { readonly code: number | null }> {
  const { stdout, code, stderr } = await boxwright(home, ['diff', '--format', 'json', ...args]);
  expect(stderr).toBe('');
  // The command's schema is tested beside it.
  return { ...(JSON.parse(stdout.toString()) as Diff), code };
}

async function build(scene: Scene, tag: string, files: Readonly<Record<string, string>>): Promise<void> {
  const context = join(scene.directory, tag.replace(/\W/g, '-'));
  mkdirSync(context);
  writeFiles(context, files);
  await boxwrightOk(scene.home, ['build', '--quiet', '--tag', tag, context]);
}

const dpkg = (version: string): string => `Package: curl\nStatus: install ok installed\nVersion: ${version}\n`;

describe.skipIf(missingBases() !== undefined)('diff', () => {
  it('names the files that diff(1) names for the unpacked images', async () => {
    const scene = await makeScene({});
    const dockerfile = 'FROM e2e/busybox:1\nCOPY . /srv/\nENV A=1\n';
    await build(scene, 'app:1', {
      Dockerfile: `${dockerfile}COPY status /var/lib/dpkg/status\n`,
      status: dpkg('8.1'),
      'same/a': 'a',
      'changed/size': 'one',
      'changed/bytes': 'one',
      'gone/x': 'x',
      'dir-to-file/x': 'x',
    });
    await build(scene, 'app:2', {
      Dockerfile: `${dockerfile}ENV B=2\nCOPY status /var/lib/dpkg/status\n`,
      status: dpkg('8.2'),
      'same/a': 'a',
      'changed/size': 'three',
      'changed/bytes': 'two',
      'new/y': 'y',
      'dir-to-file': 'x',
    });
    const found = await diff(scene.home, 'app:1', 'app:2');
    expect(found.code).toBe(1);
    expect(found).toMatchObject({ same: 'none', different: true, layers: { sharedBase: 1 } });
    expect(found.settings.filter(({ field }) => field === 'Env')).toMatchObject([{ name: 'B' }]);
    expect(found.packages?.list).toMatchObject([{ name: 'curl' }]);

    const [one, two] = [join(scene.directory, 'one'), join(scene.directory, 'two')];
    await boxwrightOk(scene.home, ['unpack', 'app:1', one]);
    await boxwrightOk(scene.home, ['unpack', 'app:2', two]);
    // Links may lead out of the tree, and are compared as links by the command.
    const { stdout } = await run('diff', ['--no-dereference', '--recursive', '--brief', one, two]);
    const expected = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => {
        const only = /^Only in (\S+): (.+)$/.exec(line);
        const path = only === null ? (/^(?:Files|File) (\S+) /.exec(line)?.[1] ?? line) : `${only[1]}/${only[2]}`;
        return path.replace(one, '').replace(two, '');
      });
    // diff(1) does not look into a directory that only one side has.
    const list = found.files?.list ?? [];
    const alone = list.filter(({ path }) => !list.some((other) => path.startsWith(`${other.path}/`)));
    expect(alone.map(({ path }) => path).sort()).toEqual(expected.sort());
  });

  it('finds the same image at another place, packed in another way', async () => {
    const scene = await makeScene({ Dockerfile: 'FROM e2e/busybox:1\nCOPY f /f\n', f: 'f\n' });
    await boxwrightOk(scene.home, ['build', '--quiet', '--tag', 'app', scene.context]);
    const archive = `oci-archive:${join(scene.directory, 'app.tar')}`;
    const layout = `oci:${join(scene.directory, 'layout')}:zstd`;
    const docker = join(scene.directory, 'docker.tar');
    await boxwrightOk(scene.home, ['copy', '--quiet', 'app', archive]);
    await boxwrightOk(scene.home, ['copy', '--quiet', '--compression', 'zstd', 'app', layout]);
    await boxwrightOk(scene.home, ['save', '--output', docker, 'app']);
    expect(await diff(scene.home, 'app', archive)).toMatchObject({ same: 'manifest', different: false, code: 0 });
    expect(await diff(scene.home, 'app', layout)).toMatchObject({ same: 'image', different: false, code: 0 });
    expect(await diff(scene.home, archive, `docker-archive:${docker}`)).toMatchObject({ different: false, code: 0 });
    const { stdout, code } = await boxwright(scene.home, ['diff', '--quiet', archive, layout]);
    expect([stdout.toString(), code]).toEqual(['', 0]);
  });

  it('shows no secrets, as all other commands', async () => {
    const scene = await makeScene({});
    const secret = (value: string): Readonly<Record<string, string>> => ({
      Dockerfile: `FROM e2e/busybox:1\nARG NPM_TOKEN=${value}\nENV DB_PASSWORD=${value}\nLABEL api-key=${value}\nCOPY id_rsa /root/.ssh/id_rsa\nCMD ["x", "--password", "${value}"]\n`,
      id_rsa: 'key',
    });
    await build(scene, 'app:1', secret('s3cr3t-one'));
    await build(scene, 'app:2', secret('s3cr3t-two'));
    for (const args of [
      ['diff', 'app:1', 'app:2'],
      ['diff', '--format', 'json', 'app:1', 'app:2'],
      ['page', 'app:1'],
      ['page', '--format', 'json', 'app:1'],
      ['history', '--no-trunc', 'app:1'],
      ['history', '--format', 'json', 'app:1'],
      ['inspect', 'app:1'],
      ['dockerfile', 'app:1'],
    ]) {
      const hidden = await boxwright(scene.home, args);
      expect(hidden.stdout.toString(), args.join(' ')).toContain('******');
      expect(hidden.stdout.toString() + hidden.stderr, args.join(' ')).not.toContain('s3cr3t');
      const shown = await boxwright(scene.home, [...args, '--show-secrets']);
      expect(shown.stdout.toString(), args.join(' ')).toContain('s3cr3t-one');
    }
    const page = await boxwrightOk(scene.home, ['page', '--lang', 'en', 'app:1']);
    expect(page.stdout.toString()).toContain('# /root/.ssh/id_rsa in layer 2 seems to be a private key file');
  });
});
