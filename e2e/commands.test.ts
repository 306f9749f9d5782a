import { existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarizeArchive } from './compare/summary.ts';
import { boxwright, boxwrightOk, boxwrightPath } from './support/boxwright.ts';
import { run, runOk } from './support/run.ts';
import { makeScene, missingBases, missingRun } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

async function text(home: string, ...args: string[]): Promise<string> {
  return (await boxwrightOk(home, args)).stdout.toString();
}

describe('the command', () => {
  it('prints its version and help, and a misspelt command with the one that was meant', async () => {
    const version = await run(boxwrightPath, ['--version']);
    expect(version.stdout.toString()).toMatch(/^\S*\d+\.\d+\.\d+\s*$/);
    expect((await run(boxwrightPath, ['--help'])).stdout.toString()).toMatch(/build[\s\S]*doctor/);
    const wrong = await run(boxwrightPath, ['biuld']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/build/);
  });
});

describe.skipIf(missingBases() !== undefined)('images of the local store', () => {
  it('are named, listed, inspected, removed and pruned', async () => {
    const scene = await makeScene({ Dockerfile: 'FROM e2e/busybox:1\nCOPY f /f\nLABEL a=b\n', f: 'x'.repeat(100_000) });
    const iidfile = join(scene.directory, 'iid');
    const metadata = join(scene.directory, 'metadata.json');
    const flags = ['--quiet', '--tag', 'one:1', '--tag', 'two', '--iidfile', iidfile, '--metadata-file', metadata];
    const id = (await text(scene.home, 'build', ...flags, scene.context)).trim();
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(readFileSync(iidfile, 'utf8')).toBe(id);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toMatchObject({ 'containerimage.config.digest': id });
    await text(scene.home, 'tag', 'one:1', 'three:3');
    const listed = await text(scene.home, 'images');
    for (const name of ['one', 'two', 'three']) expect(listed).toMatch(new RegExp(`^${name}\\b`, 'm'));
    const inspected = JSON.parse(await text(scene.home, 'inspect', '--format', 'docker', 'three:3')) as {
      Id: string;
      Config: { Labels: Record<string, string> };
    }[];
    expect(inspected[0]).toMatchObject({ Id: id, Config: { Labels: { a: 'b' } } });
    expect(await text(scene.home, 'history', 'one:1')).toMatch(/LABEL a=b[\s\S]*COPY f \/f/);
    await text(scene.home, 'rmi', 'one:1', 'two', 'three:3');
    expect(await text(scene.home, 'images', '--quiet')).not.toContain(id.slice(7, 19));
    const missing = await boxwright(scene.home, ['inspect', 'registry.invalid/one:1']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/\[IMAGE_NOT_FOUND\]/);
  });

  it('are made from a root file system and unpacked again', async () => {
    const scene = await makeScene({}, []);
    const root = join(scene.directory, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    const tar = join(scene.directory, 'root.tar');
    await runOk(
      'sh',
      ['-euc', 'echo hi > etc/motd; ln -s motd etc/link; chmod 4755 etc/motd; tar -cf "$1" .', 'sh', tar],
      {
        cwd: root,
      },
    );
    for (const command of [
      ['gzip', '-k'],
      ['xz', '-k'],
      ['zstd', '-q'],
    ]) {
      const [program = '', ...flags] = command;
      const packed = await run(program, [...flags, tar]).catch(() => undefined);
      if (packed?.code !== 0) continue; // not on this machine; CI has them all
    }
    for (const suffix of ['', '.gz', '.xz', '.zst']) {
      if (!existsSync(tar + suffix)) continue;
      await text(scene.home, 'import', tar + suffix, '--tag', 'imported:1');
      const target = join(scene.directory, `out${suffix}`);
      await text(scene.home, 'unpack', 'imported:1', target);
      expect(readFileSync(join(target, 'etc/motd'), 'utf8')).toBe('hi\n');
      expect(lstatSync(join(target, 'etc/motd')).mode & 0o7777).toBe(0o4755);
      expect(lstatSync(join(target, 'etc/link')).isSymbolicLink()).toBe(true);
    }
  });

  it('go out as archives, a layout, a tar and a directory', async () => {
    const scene = await makeScene({ Dockerfile: 'FROM e2e/busybox:1\nCOPY f /f\n', f: 'f\n' });
    const at = (name: string): string => join(scene.directory, name);
    const outputs = [
      'docker,dest=d.tar',
      'oci,dest=o.tar',
      'oci,dest=layout,tar=false',
      'tar,dest=t.tar',
      'local,dest=dir',
    ];
    const flags = outputs.flatMap((output) => ['--output', `type=${output}`]);
    await boxwrightOk(scene.home, ['build', ...flags, scene.context], { cwd: scene.directory });
    expect((await summarizeArchive(at('d.tar'))).layers).toHaveLength(2);
    expect(JSON.parse(readFileSync(at('layout/oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(readFileSync(at('dir/f'), 'utf8')).toBe('f\n');
    const listed = await runOk('tar', ['-tf', at('t.tar')]);
    expect(listed.stdout.toString()).toMatch(/^(\.\/)?f$/m);
    const oci = await runOk('tar', ['-tf', at('o.tar')]);
    expect(oci.stdout.toString()).toMatch(/^index\.json$/m);
  });
});

describe.skipIf(missingRun() !== undefined)('build --quiet', () => {
  const lastWords = (stderr: string): number => stderr.split('the last words').length - 1;

  it('shows once what a RUN that fails printed last, before the error, as the other modes do', async () => {
    const Dockerfile = 'FROM e2e/busybox:1\nRUN echo earl$(echo ier)\nRUN echo the last $(echo words) >&2; exit 42\n';
    const scene = await makeScene({ Dockerfile });
    const quiet = await boxwright(scene.home, ['build', '--network=none', '--quiet', scene.context]);
    expect([quiet.code, quiet.stdout.toString()]).toEqual([1, '']);
    expect(quiet.stderr).toMatch(
      /^------\n > \[3\/3\] RUN .*:\n[\d.]+ the last words\n------\n[\s\S]*ERROR: .*exit code: 42 \[RUN_FAILED\]\n/,
    );
    expect(quiet.stderr).not.toContain('earlier');
    // As it comes, and once more at the end.
    const plain = await boxwright(scene.home, ['build', '--network=none', '--progress=plain', scene.context]);
    expect(lastWords(plain.stderr)).toBe(2);
    const json = await boxwright(scene.home, ['build', '--network=none', '-q', '--progress=rawjson', scene.context]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: 'RUN_FAILED', details: { exitCode: 42, output: 'the last words' } },
    });
  });
});

describe.skipIf(missingRun() !== undefined)('run', () => {
  it("runs a command with the image's environment and user, hands on its exit code and keeps nothing", async () => {
    const scene = await makeScene({
      Dockerfile: 'FROM e2e/busybox:1\nENV GREETING=hello\nUSER app\nWORKDIR /home/app\nCMD ["id"]\n',
    });
    await text(scene.home, 'build', '--quiet', '--tag', 'r:1', scene.context);
    expect(await text(scene.home, 'run', '--network=none', 'r:1')).toMatch(/uid=1000\(app\)/);
    const command = ['run', '--rm', '--network=none', 'r:1', 'sh', '-c', 'echo $GREETING $PWD; touch made; exit 7'];
    const result = await boxwright(scene.home, command);
    expect(result.stdout.toString()).toBe('hello /home/app\n');
    expect(result.code).toBe(7);
    expect(await text(scene.home, 'run', '--network=none', 'r:1', 'ls')).toBe('');
  });
});
