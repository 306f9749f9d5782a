import { chmodSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarizeArchive } from './compare/summary.ts';
import { boxwrightOk, boxwrightPath } from './support/boxwright.ts';
import { strict } from './support/environment.ts';
import { runOk } from './support/run.ts';
import { FILE_TIME, makeScene, missingBases, missingRun, type Scene, writeFiles } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

const DOCKERFILE = 'FROM e2e/busybox:1\nCOPY src /src\nRUN cat /src/a > /made\nENV A=1\n';

async function build(scene: Scene, ...args: string[]): Promise<string> {
  const { stdout } = await boxwrightOk(scene.home, ['build', '--network=none', '--quiet', ...args, scene.context]);
  return stdout.toString().trim();
}

describe.skipIf(missingRun() !== undefined)('the build cache', () => {
  const files = { Dockerfile: DOCKERFILE, 'src/a': 'a\n', 'src/sub/b': 'b\n', 'not-copied': 'n\n' };

  it('hits when nothing changed: same image, times included', async () => {
    const scene = await makeScene(files);
    expect(await build(scene)).toBe(await build(scene));
  });

  it.each<[string, (scene: Scene) => void]>([
    ['a file is touched', (scene) => utimesSync(join(scene.context, 'src/a'), 1_700_000_000, 1_700_000_000)],
    ['a file that is not copied changes', (scene) => writeFileSync(join(scene.context, 'not-copied'), 'changed\n')],
    ['a file is replaced by one of equal content', (scene) => replaceFile(join(scene.context, 'src/a'), 'a\n')],
    [
      'comments and blanks of the Dockerfile change',
      (scene) => writeFiles(scene.context, { Dockerfile: `# new\n\n${DOCKERFILE}` }),
    ],
  ])('hits when %s', async (_what, change) => {
    const scene = await makeScene(files);
    const first = await build(scene);
    change(scene);
    expect(await build(scene)).toBe(first);
  });

  it.each<[string, (scene: Scene) => void]>([
    ['a file changes', (scene) => writeFileSync(join(scene.context, 'src/sub/b'), 'changed\n')],
    ['a file changes and keeps size and time', (scene) => changeKeepingTime(join(scene.context, 'src/a'), 'b\n')],
    ['a mode changes', (scene) => chmodSync(join(scene.context, 'src/a'), 0o600)],
    ['a file is added', (scene) => writeFileSync(join(scene.context, 'src/new'), '')],
    ['an empty directory is added', (scene) => mkdirSync(join(scene.context, 'src/empty'))],
    ['a file is renamed', (scene) => renameSync(join(scene.context, 'src/a'), join(scene.context, 'src/c'))],
  ])('misses when %s', async (_what, change) => {
    const scene = await makeScene({
      ...files,
      Dockerfile: 'FROM e2e/busybox:1\nCOPY src /src\nRUN ls -lR /src > /made\n',
    });
    const first = await build(scene);
    change(scene);
    expect(await build(scene)).not.toBe(first);
  });

  it('two contexts with files of equal size and time do not share content', async () => {
    const scene = await makeScene(files);
    const archives = [];
    for (const content of ['one\n', 'two\n']) {
      const context = join(scene.directory, `context-${content.trim()}`);
      writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: content });
      utimesSync(join(context, 'f'), 1_600_000_000, 1_600_000_000);
      const archive = join(scene.directory, `${content.trim()}.tar`);
      await boxwrightOk(scene.home, ['build', '--output', `type=docker,dest=${archive}`, context]);
      archives.push(await summarizeArchive(archive));
    }
    const [one, two] = archives.map((image) => image.layers[0]?.find(({ path }) => path === 'f')?.sha256);
    expect(one).toBeDefined();
    expect(one).not.toBe(two);
  });

  it('a build argument invalidates only what comes after its ARG', async () => {
    const scene = await makeScene({
      Dockerfile: 'FROM e2e/busybox:1\nRUN date +%N > /before\nARG V=1\nRUN echo $V > /after\n',
    });
    const archive = (name: string): string => join(scene.directory, name);
    await build(scene, '--output', `type=docker,dest=${archive('one')}`);
    await build(scene, '--build-arg', 'V=2', '--output', `type=docker,dest=${archive('two')}`);
    const one = await summarizeArchive(archive('one'));
    const two = await summarizeArchive(archive('two'));
    expect(two.layers[1]).toEqual(one.layers[1]);
    expect(two.layers[2]).not.toEqual(one.layers[2]);
  });

  it('--no-cache runs everything anew', async () => {
    const scene = await makeScene(files);
    expect(await build(scene, '--no-cache')).not.toBe(await build(scene, '--no-cache'));
  });

  it('a secret is no part of any key', async () => {
    const scene = await makeScene({
      Dockerfile: 'FROM e2e/busybox:1\nRUN --mount=type=secret,id=s cat /run/secrets/s > /dev/null && date > /d\n',
    });
    const secret = join(scene.directory, 'secret');
    writeFileSync(secret, 'one');
    const first = await build(scene, '--secret', `id=s,src=${secret}`);
    writeFileSync(secret, 'two');
    expect(await build(scene, '--secret', `id=s,src=${secret}`)).toBe(first);
  });
});

describe.skipIf(missingBases() !== undefined)('an unchanged context', () => {
  const straceMissing = !strict && straceIsMissing();

  it.skipIf(straceMissing)('of many files is not read again', async () => {
    const files: Record<string, string> = { Dockerfile: 'FROM scratch\nCOPY data /data\n' };
    for (let index = 0; index < 3000; index++) files[`data/${index % 30}/file-${index}.txt`] = `content ${index}\n`;
    const scene = await makeScene(files, []);
    const first = await build(scene);
    const trace = join(scene.directory, 'trace');
    const traced = await runOk(
      'strace',
      ['-f', '-qq', '-e', 'trace=open,openat,openat2', '-o', trace, boxwrightPath, 'build', '--quiet', scene.context],
      { env: { ...process.env, BOXWRIGHT_HOME: scene.home, NODE_OPTIONS: '' } },
    );
    expect(traced.stdout.toString().trim()).toBe(first);
    const opened = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => /file-\d+\.txt"/.test(line) && !line.includes('O_PATH'));
    expect(opened).toEqual([]);
  });
});

function straceIsMissing(): boolean {
  return !(process.env['PATH'] ?? '').split(':').some((directory) => {
    try {
      readFileSync(join(directory, 'strace'));
      return true;
    } catch {
      return false;
    }
  });
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function changeKeepingTime(path: string, text: string): void {
  writeFileSync(path, text);
  utimesSync(path, FILE_TIME, FILE_TIME);
}
