import { cpSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarizeArchive } from './compare/summary.ts';
import { boxwrightOk } from './support/boxwright.ts';
import { makeScene, missingBases, missingRun, type Scene } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

const EPOCH = '1500000000';
const COPIES = `FROM e2e/busybox:1
WORKDIR /srv/app
COPY . .
COPY --chown=app a /owned/
COPY <<TEXT /inline
text
TEXT
ENV A=1
`;
const RUNS = `${COPIES}RUN mkdir -p /made/dir && echo x > /made/dir/file && ln -s x /made/link && date > /dev/null\nRUN rm -r /made/dir\n`;
const FILES = { a: 'a\n', 'dir/b': 'b\n', 'dir/sub/c': 'c\n' };

describe.skipIf(missingBases() !== undefined)('SOURCE_DATE_EPOCH', () => {
  it('gives the same digest from two checkouts with other times, without RUN', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: COPIES });
    await expectSameDigest(scene);
  });

  it.skipIf(missingRun() !== undefined)('gives the same digest with RUN', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: RUNS });
    await expectSameDigest(scene);
  });

  it('clamps every time that the build writes, and no time of the base', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: COPIES });
    const archive = join(scene.directory, 'image.tar');
    await build(scene, scene.context, `type=docker,dest=${archive}`);
    const image = await summarizeArchive(archive);
    const times = image.layers.slice(1).flatMap((layer) => layer.map((entry) => Number(entry.mtime)));
    expect(times.length).toBeGreaterThan(5);
    expect(Math.max(...times)).toBeLessThanOrEqual(Number(EPOCH));
    expect(image.config['created']).toBe('2017-07-14T02:40:00Z');
  });

  it('a build without it is not reproducible, so the tests above can fail', async () => {
    const scene = await makeScene({ ...FILES, Dockerfile: COPIES });
    const one = await imageId(scene, scene.context, {});
    const two = await imageId(scene, scene.context, {});
    expect(one).not.toBe(two);
  });
});

async function expectSameDigest(scene: Scene): Promise<void> {
  const other = join(scene.directory, 'other checkout');
  cpSync(scene.context, other, { recursive: true });
  for (const name of readdirSync(other)) utimesSync(join(other, name), 1_700_000_000, 1_700_000_000);
  const env = { SOURCE_DATE_EPOCH: EPOCH };
  const one = await imageId(scene, scene.context, env);
  const two = await imageId(scene, other, env);
  expect(one).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(two).toBe(one);
  const first = join(scene.directory, 'one.tar');
  const second = join(scene.directory, 'two.tar');
  await build(scene, scene.context, `type=oci,dest=${first}`);
  await build(scene, other, `type=oci,dest=${second}`);
  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
}

async function imageId(scene: Scene, context: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await boxwrightOk(scene.home, ['build', '--no-cache', '--network=none', '--quiet', context], {
    env: { ...process.env, ...env },
  });
  return stdout.toString().trim();
}

async function build(scene: Scene, context: string, output: string): Promise<void> {
  await boxwrightOk(scene.home, ['build', '--no-cache', '--network=none', '--output', output, context], {
    env: { ...process.env, SOURCE_DATE_EPOCH: EPOCH },
  });
}
