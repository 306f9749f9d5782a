import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';

const temporaryDirectory = temporaryDirectories();
const launcher = new URL('../bin/boxwright.mjs', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** A package with the real launcher and a program of one's own in place of the bundle. */
function packageWith(program: string | undefined): string {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'bin'));
  cpSync(launcher, join(root, 'bin/boxwright.mjs'));
  writeFileSync(join(root, 'package.json'), JSON.stringify({ version, type: 'module' }));
  if (program !== undefined) {
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist/main.js'), program);
  }
  return root;
}

/** A program as the bundler writes it. */
function bundled(code: string): string {
  return `// ${createHash('sha256').update(code).digest('hex')}\n${code}`;
}

/** Starts the launcher; `old` makes Node call itself 18. */
function launch(
  root: string,
  args: readonly string[],
  { old = false, env = {} }: { readonly old?: boolean; readonly env?: NodeJS.ProcessEnv } = {},
): { code: number | null; signal: string | null; out: string; err: string } {
  const pretend = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } })";
  const nodeArgs = old ? ['--import', `data:text/javascript,${pretend}`] : [];
  const result = spawnSync(process.execPath, [...nodeArgs, join(root, 'bin/boxwright.mjs'), ...args], {
    encoding: 'utf8',
    env: { PATH: '', HOME: root, ...env },
  });
  return { code: result.status, signal: result.signal, out: result.stdout, err: result.stderr };
}

describe('the launcher', () => {
  it.each([['--version'], ['-V']])('answers %s without the program, on an old Node too', (flag) => {
    const root = packageWith(undefined);
    expect(launch(root, [flag])).toMatchObject({ code: 0, out: `${version}\n`, err: '' });
    expect(launch(root, [flag], { old: true })).toMatchObject({ code: 0, out: `${version}\n` });
  });

  it('says so when the program is not built', () => {
    expect(launch(packageWith(undefined), ['images'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: .*npm run build.*\n$/),
    });
  });

  it('starts the program with its arguments', () => {
    const root = packageWith('console.log(process.argv.slice(2).join()); process.exitCode = 7;');
    expect(launch(root, ['a', '--version'])).toMatchObject({ code: 7, out: 'a,--version\n' });
    // What failed has not called what the command needs.
    expect(existsSync(join(root, '.cache'))).toBe(false);
  });

  it('keeps the compiled code of a program in the home directory, and uses it for no other', () => {
    const root = packageWith(bundled('console.log("one")'));
    const kept = join(root, `.cache/boxwright/compiled/${process.version}-${process.arch}/main`);
    expect(launch(root, [])).toMatchObject({ code: 0, out: 'one\n', err: '' });
    const first = statSync(kept);
    expect(first.mode & 0o777).toBe(0o600);
    expect(launch(root, [])).toMatchObject({ code: 0, out: 'one\n', err: '' });
    expect(statSync(kept).ino).toBe(first.ino);

    const before = readFileSync(kept);
    // Of the same length, which is all that V8 looks at.
    writeFileSync(join(root, 'dist/main.js'), bundled('console.log("two")'));
    expect(launch(root, [])).toMatchObject({ code: 0, out: 'two\n', err: '' });
    expect(readFileSync(kept).equals(before)).toBe(false);
  });

  it('makes compiled code anew where it is damaged or a day old', () => {
    const root = packageWith(bundled('console.log("one")'));
    const kept = join(root, `.cache/boxwright/compiled/${process.version}-${process.arch}/main`);
    launch(root, []);
    const whole = readFileSync(kept);
    for (const damaged of [Buffer.alloc(0), whole.subarray(0, 70), whole.fill(0, 64)]) {
      writeFileSync(kept, damaged);
      expect(launch(root, [])).toMatchObject({ code: 0, out: 'one\n', err: '' });
      expect(readFileSync(kept).length).toBeGreaterThan(100);
      expect(readFileSync(kept).equals(damaged)).toBe(false);
    }
    utimesSync(kept, 0, 0);
    launch(root, []);
    expect(statSync(kept).mtimeMs).toBeGreaterThan(0);
    expect(readdirSync(dirname(kept))).toEqual(['main']);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'loads no code that belongs to another user (only root can give files away)',
    () => {
      const root = packageWith(bundled('console.log("two")'));
      const kept = join(root, `.cache/boxwright/compiled/${process.version}-${process.arch}/main`);
      launch(root, []);
      const program = bundled('console.log("one")');
      writeFileSync(join(root, 'dist/main.js'), program);
      const forged = Buffer.concat([Buffer.from(program.slice(3, 67)), readFileSync(kept).subarray(64)]);
      writeFileSync(kept, forged);
      expect(launch(root, []).out).toBe('two\n');
      chownSync(kept, 54_321, 54_321);
      expect(launch(root, []).out).toBe('one\n');
      expect(statSync(kept).uid).toBe(0);
    },
  );

  it('starts also where nothing can be kept, or is to be kept', () => {
    const root = packageWith(bundled('console.log("one")'));
    expect(launch(root, [], { env: { NODE_DISABLE_COMPILE_CACHE: '1' } })).toMatchObject({ code: 0, out: 'one\n' });
    expect(existsSync(join(root, '.cache'))).toBe(false);
    writeFileSync(join(root, '.cache'), 'no directory');
    expect(launch(root, [])).toMatchObject({ code: 0, out: 'one\n', err: '' });
  });

  it('starts the file of a command that has its own, and never one that a name leads elsewhere to', () => {
    const root = packageWith('console.log("main")');
    writeFileSync(join(root, 'dist/command-images.js'), 'console.log("images", process.argv.slice(2).join());');
    writeFileSync(join(root, 'dist/command-.js'), 'console.log("nameless");');
    writeFileSync(join(root, 'elsewhere.js'), 'console.log("elsewhere");');
    expect(launch(root, ['images', '-q'])).toMatchObject({ code: 0, out: 'images images,-q\n' });
    for (const args of [['pull'], ['--store', 'images'], [''], ['x/../../elsewhere'], ['/../images'], []]) {
      expect(launch(root, args)).toMatchObject({ code: 0, out: 'main\n' });
    }
  });

  it('asks for a newer Node when there is none beside it', () => {
    expect(launch(packageWith(''), ['images'], { old: true })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: boxwright needs Node.js 22\.18 or newer, and this is 18\.20\.0: .*\n$/),
    });
  });

  it.each([
    ['#!/bin/sh\nexit 42\n', { code: 42, signal: null }],
    ['#!/bin/sh\nkill -TERM $$\n', { code: null, signal: 'SIGTERM' }],
    ['#!/bin/sh\nshift; echo "$@"\n', { code: 0, out: 'images -q\n' }],
  ])('re-executes itself with the Node beside it and ends as that does: %j', (node, expected) => {
    const root = packageWith('');
    const bin = join(root, `node_modules/node-${process.platform}-${process.arch}/bin`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'node'), node, { mode: 0o755 });
    expect(launch(root, ['images', '-q'], { old: true })).toMatchObject(expected);
  });
});
