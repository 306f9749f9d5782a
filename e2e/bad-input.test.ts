import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxwright, boxwrightOk } from './support/boxwright.ts';
import { Leftovers } from './support/leftovers.ts';
import { baseArchive, makeScene, missingBases, missingRun, type Scene, unfinishedWork } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

interface BadBuild {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly code: string;
  /** What the message has to name. */
  readonly names: RegExp;
  readonly exitCode?: number;
}

const FROM = 'FROM e2e/busybox:1\n';

const withoutRun: readonly BadBuild[] = [
  {
    what: 'an unknown instruction, with the one that was meant',
    files: { Dockerfile: `${FROM}COPPY a b\n` },
    code: 'DOCKERFILE_UNKNOWN_INSTRUCTION',
    names: /Dockerfile:2[\s\S]*COPPY[\s\S]*COPY/,
  },
  {
    what: 'an unknown flag of an instruction',
    files: { Dockerfile: `${FROM}COPY --chwon=1 a b\n`, a: '' },
    code: 'DOCKERFILE_UNKNOWN_FLAG',
    names: /Dockerfile:2[\s\S]*chwon[\s\S]*chown/,
  },
  {
    what: 'an unknown flag of the command',
    files: { Dockerfile: FROM },
    args: ['--taag', 'x'],
    code: 'USAGE',
    names: /--taag[\s\S]*--tag/,
    exitCode: 2,
  },
  {
    what: 'a missing file in COPY',
    files: { Dockerfile: `${FROM}COPY nothing.txt /x\n` },
    code: 'COPY_SOURCE_NOT_FOUND',
    names: /nothing\.txt/,
  },
  {
    what: 'a path outside the context',
    files: { Dockerfile: `${FROM}COPY ../../../../../../etc/hostname /x\n` },
    code: 'COPY_SOURCE_NOT_FOUND',
    names: /etc\/hostname/,
  },
  {
    what: 'a stage that is not defined',
    files: { Dockerfile: `${FROM}COPY --from=nosuch /a /b\n` },
    // What is no stage is an image, for which a registry is asked where there is a network.
    code: 'IMAGE_NOT_FOUND|REGISTRY_[A-Z_]+',
    names: /nosuch/,
  },
  {
    what: 'a target that is not defined',
    files: { Dockerfile: 'FROM e2e/busybox:1 AS build\n' },
    args: ['--target', 'biuld'],
    code: 'STAGE_NOT_FOUND|DOCKERFILE_UNKNOWN_STAGE',
    names: /biuld[\s\S]*build/,
  },
  {
    what: 'a stage that needs itself',
    files: { Dockerfile: 'FROM e2e/busybox:1 AS one\nCOPY --from=one /a /b\n' },
    code: 'DOCKERFILE_CYCLE|DOCKERFILE_CIRCULAR_STAGES',
    names: /one/,
  },
  {
    what: 'a base image that is neither in the store nor in a registry',
    files: { Dockerfile: 'FROM registry.invalid/nothing:9\n' },
    code: 'REGISTRY_HOST_UNKNOWN|REGISTRY_CONNECTION',
    names: /registry\.invalid\/nothing:9 is not in the local store/,
  },
  {
    what: 'an owner that /etc/passwd does not have',
    files: { Dockerfile: `${FROM}COPY --chown=nobodysuch a /a\n`, a: '' },
    code: 'USER_NOT_FOUND',
    names: /nobodysuch/,
  },
  {
    what: 'a Dockerfile that is not there',
    files: { other: '' },
    code: 'DOCKERFILE_NOT_FOUND|ENOENT|CONTEXT_NOT_FOUND',
    names: /Dockerfile/,
  },
  {
    what: 'an archive for ADD that is cut off',
    files: { Dockerfile: `${FROM}ADD cut.tar /x/\n`, 'cut.tar': '' },
    code: 'TAR_INVALID|ADD_ARCHIVE_BROKEN',
    names: /cut\.tar/,
  },
];

const withRun: readonly BadBuild[] = [
  {
    what: 'a RUN that fails, with its exit code and its last lines',
    files: { Dockerfile: `${FROM}RUN echo step output && echo the last words >&2 && exit 42\n` },
    code: 'RUN_FAILED',
    names: /the last words[\s\S]*42/,
  },
  {
    what: 'a user that /etc/passwd does not have',
    files: { Dockerfile: `${FROM}USER nobodysuch\nRUN id\n` },
    code: 'USER_NOT_FOUND',
    names: /nobodysuch/,
  },
  {
    what: 'a program that is not in the image',
    files: { Dockerfile: `${FROM}RUN ["/no/such/program"]\n` },
    code: 'SANDBOX_COMMAND_NOT_FOUND',
    names: /\/no\/such\/program/,
  },
  {
    what: 'a required secret that was not given',
    files: { Dockerfile: `${FROM}RUN --mount=type=secret,id=token,required true\n` },
    code: 'SECRET_NOT_FOUND',
    names: /token/,
  },
];

describe.skipIf(missingBases() !== undefined)('a build refuses', () => {
  it.each(withoutRun)('$what', async (bad) => {
    if (bad.what.includes('cut off')) return expectRefused(bad, writeCutArchive);
    return expectRefused(bad);
  });
});

describe.skipIf(missingRun() !== undefined)('a build with RUN refuses', () => {
  it.each(withRun)('$what', (bad) => expectRefused(bad));
});

/** A tar whose header promises more bytes than follow. */
function writeCutArchive(scene: Scene): void {
  const header = Buffer.alloc(512);
  header.write('file', 0);
  header.write(['0000644', '0000000', '0000000', '00000004000', '00000000000', ''].join('\0'), 100);
  header.write('        0', 148); // the sum is taken with blanks in its own field
  header.write('ustar\x0000', 257);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  writeFileSync(join(scene.context, 'cut.tar'), Buffer.concat([header, Buffer.alloc(100)]));
}

/** One clear error with its exit code; no image, no cache of it, nothing left on the machine. */
async function expectRefused(bad: BadBuild, prepare?: (scene: Scene) => void): Promise<void> {
  const scene = await makeScene(bad.files);
  prepare?.(scene);
  const imagesBefore = await images(scene.home);
  const leftovers = new Leftovers(scene.home);
  const args = ['build', '--network=none', '--progress=plain', '--tag', 'bad:1', ...(bad.args ?? []), scene.context];
  const result = await boxwright(scene.home, args);
  expect(result.stderr).toMatch(new RegExp(`\\[(${bad.code})\\]`));
  expect(result.stderr).toMatch(bad.names);
  expect(result.stderr).not.toMatch(/^\s+at .*\.[jt]s:\d+/m);
  expect(result.code).toBe(bad.exitCode ?? 1);
  expect(await images(scene.home)).toBe(imagesBefore);
  expect(await leftovers.find()).toEqual([]);
}

async function images(home: string): Promise<string> {
  return (await boxwrightOk(home, ['images', '--quiet'])).stdout.toString();
}

describe.skipIf(missingBases() !== undefined)('a damaged store or archive', () => {
  it('a corrupted blob of the base is an error that names it, and loading again mends it', async () => {
    const scene = await makeScene({ Dockerfile: 'FROM e2e/busybox:1\nCOPY --from=e2e/busybox:1 /bin/busybox /copy\n' });
    const blobs = join(scene.home, 'blobs/sha256');
    const layer = readdirSync(blobs)
      .map((name) => join(blobs, name))
      .toSorted((a, b) => readFileSync(b).length - readFileSync(a).length)[0];
    if (layer === undefined) throw new Error('no blob in the store');
    const bytes = readFileSync(layer);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    writeFileSync(layer, bytes);
    const saved = await boxwright(scene.home, ['save', '--output', join(scene.directory, 'out.tar'), 'e2e/busybox:1']);
    expect(saved.code).toBe(1);
    expect(saved.stderr).toMatch(/\[BLOB_(CORRUPT|MISSING|MISMATCH)\]/);
    expect(readdirSync(scene.directory)).not.toContain('out.tar');
  });

  it.each([
    ['a file that is no archive', Buffer.from('this is text, and not an archive\n'.repeat(40))],
    ['an empty file', Buffer.alloc(0)],
    ['an archive that is cut off', undefined],
  ])('%s is refused by load', async (_what, bytes) => {
    const scene = await makeScene({}, []);
    const whole = readFileSync(baseArchive('busybox'));
    const archive = join(scene.directory, 'bad.tar');
    writeFileSync(archive, bytes ?? whole.subarray(0, whole.length >> 1));
    const result = await boxwright(scene.home, ['load', '--input', archive]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/error: .*\[[A-Z_]+\]/);
    expect(result.stderr).not.toMatch(/INTERNAL/);
    expect((await images(scene.home)).trim()).toBe('');
    expect(unfinishedWork(scene.home)).toEqual([]);
  });
});
