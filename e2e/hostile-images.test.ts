import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxwright, boxwrightOk } from './support/boxwright.ts';
import { runOk } from './support/run.ts';
import { baseArchive, missingBases, unfinishedWork } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach, temporaryDirectory } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

/** Each is one way out that some image tool has taken; see hostile/make_hostile.py. */
const NAMES = [
  ...['dotdot', 'absolute', 'double-slash', 'dotdot-inside', 'pax-path', 'global-pax-path', 'gnu-long-name'],
  ...['ustar-prefix', 'symlink-then-write', 'symlink-relative', 'symlink-chain', 'symlink-next-layer'],
  ...['symlink-mkdir-through', 'symlink-to-file-then-write', 'symlink-chmod', 'dir-over-symlink', 'hardlink-outside'],
  ...['hardlink-dotdot', 'hardlink-through-symlink', 'hardlink-to-symlink', 'whiteout-dotdot', 'whiteout-empty'],
  ...['whiteout-outside', 'opaque-through-symlink', 'whiteout-absolute', 'char-device', 'char-zero', 'block-device'],
  ...[
    'overlay-xattr',
    'nul-in-pax',
    'negative-size',
    'pax-size-lie',
    'deep',
    'truncated',
    'escape-in-name',
    'proc-self',
  ],
];

/** What no archive with these layers may be turned into: an error is the only good answer. */
const REFUSED = ['nul-in-pax', 'negative-size', 'truncated', 'hardlink-outside', 'hardlink-dotdot'];

describe.skipIf(missingBases() !== undefined)('a hostile image', () => {
  it.each(NAMES)('%s changes nothing outside of its root', async (name) => {
    const directory = temporaryDirectory('hostile');
    const victim = join(directory, 'victim');
    const archives = join(directory, 'archives');
    for (const made of [victim, archives]) mkdirSync(made);
    writeFileSync(join(victim, 'sentinel'), 'untouched\n', { mode: 0o640 });
    const before = describeDirectory(victim);
    const made = await runOk('python3', [join(import.meta.dirname, 'hostile/make_hostile.py'), archives, victim]);
    expect(made.stdout.toString().trim().split('\n').toSorted()).toEqual(NAMES.toSorted());

    const home = join(directory, 'home');
    const image = `hostile/${name}:1`;
    const target = join(directory, 'target');
    const loaded = await boxwright(home, ['load', '--input', join(archives, `${name}.tar`)]);
    const outcomes = [loaded];
    if (loaded.code === 0) {
      outcomes.push(await boxwright(home, ['unpack', image, target]));
      outcomes.push(await boxwright(home, ['inspect', image]), await boxwright(home, ['history', image]));
      await boxwrightOk(home, ['load', '--input', baseArchive('busybox')]);
      const context = join(directory, 'context');
      mkdirSync(context);
      writeFileSync(join(context, 'f'), 'copied\n');
      const dockerfile = `FROM ${image}\nCOPY f /out/f\nCOPY f /d/f\nCOPY f /s/f\nCOPY --from=e2e/busybox:1 / /all/\n`;
      const args = [
        'build',
        '--network=none',
        '--output',
        `type=local,dest=${join(directory, 'local')}`,
        '-f',
        '-',
        context,
      ];
      outcomes.push(await boxwright(home, args, { input: dockerfile }));
    }
    expect(describeDirectory(victim)).toEqual(before);
    for (const { code, command, stderr } of outcomes) {
      expect([0, 1], command + stderr).toContain(code);
      expect(stderr).not.toMatch(/INTERNAL/);
      expect(hasControl(stderr)).toBe(false);
    }
    if (REFUSED.includes(name)) expect(outcomes.some(({ code }) => code === 1)).toBe(true);
    if (existsSync(target)) expect(devicesIn(target)).toEqual([]);
    if (existsSync(join(home, 'tmp'))) expect(unfinishedWork(home)).toEqual([]);
  });
});

/** Names, modes, sizes, times and contents: everything that an attack could change. */
function describeDirectory(directory: string): string[] {
  return [directory, ...readdirSync(directory).map((name) => join(directory, name))].map((path) => {
    const stat = lstatSync(path);
    const content = stat.isFile() ? readFileSync(path, 'utf8') : '';
    return [path, stat.mode, stat.uid, stat.nlink, stat.mtimeMs, content].join(' ');
  });
}

function devicesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isCharacterDevice() || entry.isBlockDevice())
    .map((entry) => entry.name);
}

/** True when a terminal would act on the text. */
function hasControl(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if ((code < 0x20 && character !== '\n') || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}
