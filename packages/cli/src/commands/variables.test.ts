import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { type TestContext, testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();
const key = 'ab'.repeat(32);

interface Situation {
  /** Standard input: bytes from a pipe. */
  readonly input?: string | Uint8Array;
  /** Keys typed at a terminal. */
  readonly keys?: string;
  readonly env?: Record<string, string>;
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A directory, the file of variables in it, and a command that runs there. */
function scene(text?: string): {
  readonly directory: string;
  readonly file: string;
  readonly read: () => string;
  readonly variables: (args: readonly string[], situation?: Situation) => Promise<Run>;
} {
  const directory = temporaryDirectory();
  const file = join(directory, 'boxwright.variables.yaml');
  if (text !== undefined) writeFileSync(file, text);
  return {
    directory,
    file,
    read: () => readFileSync(file, 'utf8'),
    variables: async (args, { input = '', keys, env = {} } = {}) => {
      const typed = new PassThrough();
      if (keys !== undefined) typed.write(keys);
      const context: TestContext = testContext({ cwd: directory, env });
      const stdin = {
        isTTY: keys !== undefined,
        open: () => (keys === undefined ? Readable.from([Buffer.from(input)], { objectMode: false }) : typed),
      };
      const code = await runCli(['variables', ...args], { ...context, stdin });
      return { code, out: context.stdout.text, err: context.stderr.text };
    },
  };
}

const credentials = 'docker-registry-credentials/dev';
const login = ['--username', 'ann', '--password-stdin', '--registry-url', 'r.example.com'];

describe('boxwright variables', () => {
  it('makes a file for its owner only, and changes it', async () => {
    const { variables, file, read, directory } = scene();
    const made = await variables(['set', 'base_tag', '1.10']);
    expect(made).toEqual({
      code: 0,
      out: 'Set variable base_tag in boxwright.variables.yaml\n',
      err: 'note: made boxwright.variables.yaml, which you alone can read; not encrypted: boxwright variables encrypt\n',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await variables(['set', 'motto'], { input: 'two\nlines\n' });
    await variables(['set', '--json', 'sizes', '[1, {"a": null}]']);
    const block = await variables(['block', credentials, ...login], { input: 'horse: #1\n' });
    expect(block).toMatchObject({ out: `Set block ${credentials} in boxwright.variables.yaml\n`, err: '' });
    await variables(['block', 'secret/npm', '--value-stdin'], { input: 'tok' });
    expect(read()).toBe(`variables:
  base_tag: "1.10"
  motto: |-
    two
    lines
  sizes:
    - 1
    - a: null
blocks:
  docker-registry-credentials:
    dev:
      username: ann
      password: "horse: #1"
      registry_url: r.example.com
  secret:
    npm: tok
`);
    expect(readdirSync(directory)).toEqual(['boxwright.variables.yaml']);
  });

  it('lists names, and values only when asked', async () => {
    const { variables } = scene(
      'variables: {a: hidden1, list: [hidden2]}\nblocks: {t: {n: {user: hidden3, more: hidden4}}, secret: {s: hidden5}}\n',
    );
    const names = await variables(['list']);
    expect(names.out).toBe('variable  a\nvariable  list\nblock     t/n       user, more\nblock     secret/s  value\n');
    const json = await variables(['list', '--format', 'json']);
    expect(JSON.parse(json.out)).toEqual({
      variables: ['a', 'list'],
      blocks: { 't/n': ['user', 'more'], 'secret/s': ['value'] },
    });
    expect(names.out + json.out).not.toContain('hidden');
    expect((await variables(['list', '--show-values'])).out).toBe(
      'variable  a         hidden1\nvariable  list      ["hidden2"]\nblock     t/n       user=hidden3, more=hidden4\nblock     secret/s  value=hidden5\n',
    );
    const values = await variables(['list', '--show-values', '--format', 'json']);
    expect(JSON.parse(values.out)).toMatchObject({
      variables: { list: ['hidden2'] },
      blocks: { 't/n': { user: 'hidden3' } },
    });
  });

  it('removes what is there, and says what is not', async () => {
    const { variables, read } = scene('# kept\nvariables: {base: 1}\nblocks: {t: {n: x}}\n');
    expect((await variables(['remove', 't/n'])).out).toBe('Removed block t/n from boxwright.variables.yaml\n');
    const unknown = await variables(['remove', 'bsae']);
    expect(unknown.err).toMatch(/has no variable bsae \[VARIABLE_UNKNOWN\]\nhint: Did you mean base\?/);
    await variables(['remove', 'base']);
    expect(read()).toBe('# kept\nvariables: {}\nblocks: {}\n');
  });

  it('changes one field of a login, and says which are missing', async () => {
    const { variables, read } = scene();
    const first = await variables(['block', credentials, '--username', 'ann', '--field', 'reauth=a=b']);
    expect(first.err).toContain(`warning: block ${credentials} has no password, no registry_url\n`);
    const { out } = await variables(['block', credentials, '--password-stdin'], { keys: 'typed\r' });
    expect(out).toContain('Set block');
    expect(read()).toContain('username: ann\n      reauth: a=b\n      password: typed\n');
  });

  it.each<[string, Record<string, string>]>([
    ['a key', { BOXWRIGHT_VARIABLES_KEY: key }],
    ['a passphrase', { BOXWRIGHT_VARIABLES_PASSPHRASE: 'correct horse' }],
  ])('encrypts with %s, edits what is encrypted, decrypts', async (_, env) => {
    const text = '# ann\nvariables: {a: secret1} # one\n';
    const { variables, read, file } = scene(text);
    expect((await variables(['encrypt'], { env })).code).toBe(0);
    expect(read()).toContain('encrypted-variables');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await variables(['set', 'b', '2'], { env });
    expect(read()).not.toMatch(/secret1|ann/);
    const shown = await variables(['decrypt', '--output', '-'], { env });
    expect(shown.out).toBe('# ann\nvariables: {a: secret1, b: "2"} # one\n');
    expect(read()).toContain('encrypted-variables');
    expect((await variables(['encrypt'], { env })).err).toContain('is encrypted already');
    expect((await variables(['decrypt'], { env })).out).toBe('Decrypted boxwright.variables.yaml\n');
    expect(read()).toBe(shown.out);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await variables(['decrypt'], { env })).err).toContain('is not encrypted');
  });

  it('makes a new file encrypted where a key is given', async () => {
    const { variables, read, directory } = scene();
    writeFileSync(join(directory, 'key'), `${key}\n`);
    const { err } = await variables(['set', 'a', 'secret1', '--key-file', 'key']);
    expect(err).toContain('; encrypted\n');
    expect(read()).not.toContain('secret1');
    expect(
      (await variables(['list'], { env: { BOXWRIGHT_VARIABLES_KEY_FILE: join(directory, 'key') } })).out,
    ).toContain('a');
  });

  it('asks for passphrases on a terminal, without showing them', async () => {
    const { variables, read } = scene('variables: {a: 1}\n');
    const made = await variables(['encrypt'], { keys: 'one\rone\r' });
    expect(made.err).toBe('Passphrase: \nThe same again: \n');
    const changed = await variables(['rekey'], { keys: 'one\rtwo\rtwo\r' });
    expect(changed.out).toBe('Encrypted boxwright.variables.yaml with another passphrase\n');
    const before = read();
    expect((await variables(['list'], { keys: 'one\r' })).err).toMatch(/cannot be opened.*\[VARIABLES_LOCKED\]/);
    expect((await variables(['remove', 'a'], { keys: 'two\r' })).code).toBe(0);
    expect(read()).not.toBe(before);
    expect((await variables(['decrypt'], { keys: 'two\r' })).code).toBe(0);
    const unequal = await variables(['encrypt'], { keys: 'one\rtwo\r' });
    expect(unequal).toMatchObject({ code: 2, err: expect.stringContaining('these are two passphrases') });
    expect(read()).toBe('variables: {}\n');
  });

  it('changes a key for a passphrase from a file', async () => {
    const { variables, directory, read } = scene('variables: {a: 1}\n');
    writeFileSync(join(directory, 'new'), 'horse\n');
    await variables(['encrypt'], { env: { BOXWRIGHT_VARIABLES_KEY: key } });
    const none = await variables(['rekey'], { env: { BOXWRIGHT_VARIABLES_KEY: key } });
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('BOXWRIGHT_VARIABLES_NEW_PASSPHRASE') });
    await variables(['rekey', '--new-passphrase-file', 'new'], { env: { BOXWRIGHT_VARIABLES_KEY: key } });
    expect(read()).toContain('scrypt');
    const { err } = await variables(['list'], { env: { BOXWRIGHT_VARIABLES_KEY: key } });
    expect(err).toMatch(
      /is encrypted with a passphrase \[VARIABLES_LOCKED\]\nhint: Set BOXWRIGHT_VARIABLES_PASSPHRASE/,
    );
    // A key besides is not in the way.
    const env = { BOXWRIGHT_VARIABLES_KEY: key, BOXWRIGHT_VARIABLES_PASSPHRASE: 'horse' };
    expect((await variables(['list'], { env })).out).toBe('variable  a\n');
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'a changed file',
      (text) => text.replace(/"data": "(.)/, (_, c) => `"data": "${c === 'A' ? 'B' : 'A'}`),
      /cannot be opened.*VARIABLES_LOCKED/,
    ],
    ['half a file', (text) => text.slice(0, 150), /VARIABLES_INVALID/],
    ['a newer format', (text) => text.replace('"version": 1', '"version": 2'), /this version knows.*VARIABLES_INVALID/],
  ])('says what is wrong with %s, and leaves it alone', async (_, damage, words) => {
    const { variables, read, file } = scene('variables: {a: secret1}\n');
    const env = { BOXWRIGHT_VARIABLES_KEY: key };
    await variables(['encrypt'], { env });
    writeFileSync(file, damage(read()));
    const before = read();
    for (const args of [['list'], ['set', 'b', '1'], ['decrypt'], ['remove', 'a'], ['rekey']]) {
      const { code, err } = await variables(args, { env: { ...env, BOXWRIGHT_VARIABLES_NEW_KEY: key } });
      expect(err).toMatch(words);
      expect(err).not.toMatch(/secret1|INTERNAL/);
      expect(code).toBe(1);
    }
    expect(read()).toBe(before);
  });

  it('shows nothing of a file that is no YAML', async () => {
    const { variables, read } = scene('variables: {a: secret1\n');
    for (const args of [['list'], ['encrypt'], ['set', 'b', '1']]) {
      const { code, err } = await variables(args, { env: { BOXWRIGHT_VARIABLES_KEY: key, BOXWRIGHT_DEBUG: '1' } });
      expect(err).toMatch(/YAML_SYNTAX/);
      expect(err).not.toContain('secret1');
      expect(code).toBe(1);
    }
    expect(read()).toBe('variables: {a: secret1\n');
  });

  it('follows a link, and finds the file that the environment names', async () => {
    const { variables, directory, file } = scene('variables: {a: 1}\n');
    symlinkSync(file, join(directory, 'link'));
    await variables(['set', '-f', 'link', 'b', '2']);
    const env = { BOXWRIGHT_VARIABLES_FILE: join(directory, 'link') };
    expect((await variables(['list'], { env })).out).toBe('variable  a\nvariable  b\n');
    expect(statSync(join(directory, 'link')).ino).toBe(statSync(file).ino);
    const missing = await variables(['list', '-f', 'other']);
    expect(missing.err).toMatch(/there is no file of variables other \[VARIABLES_NOT_FOUND\]/);
  });

  it.each([
    [[], 'which command? none was given'],
    [['sett'], "hint: Did you mean 'boxwright variables set'?"],
    [['set'], "missing required argument 'name'"],
    [['set', 'a b', 'x'], 'cannot be the name of a variable'],
    [['set', 'a', '--json', '{"secret1'], 'the value is no JSON'],
    [['set', 'a'], 'the value is empty'],
    [['block', 'name', '--username', 'x'], 'Write TYPE/NAME'],
    [['block', 't/n'], 'there is nothing to set'],
    [['block', 't/n', '-p', 'secret1'], 'use --password-stdin'],
    [['block', 't/n', '--field', 'secret1'], '--field takes NAME=VALUE'],
    [['block', 't/n', '--value-stdin', '--username', 'x'], 'blocks without fields'],
    [['encrypt', 'a', 'b'], 'too many arguments'],
  ])('%j is a wrong call', async (args, words) => {
    const { variables, file } = scene();
    const { code, err } = await variables(args);
    expect(err).toContain(words);
    expect(err).not.toContain('secret1');
    expect(code).toBe(2);
    expect(existsSync(file)).toBe(false);
  });

  it('cannot encrypt without a key and without a terminal', async () => {
    const { variables, read } = scene('variables: {a: 1}\n');
    const { code, err } = await variables(['encrypt']);
    expect(err).toContain('hint: Use --passphrase-file or --key-file, or set BOXWRIGHT_VARIABLES_PASSPHRASE');
    expect(code).toBe(2);
    const nothing = await variables(['encrypt', '--key-file', 'nowhere']);
    expect(nothing.err).toMatch(
      /nowhere, which BOXWRIGHT_VARIABLES_KEY_FILE names, cannot be read \[VARIABLES_LOCKED\]/,
    );
    const short = await variables(['encrypt'], { env: { BOXWRIGHT_VARIABLES_KEY: 'abcd' } });
    expect(short.err).toMatch(/BOXWRIGHT_VARIABLES_KEY has 3 bytes, not 32 \[VARIABLES_LOCKED\]/);
    expect(read()).toBe('variables: {a: 1}\n');
  });

  it.each(['set', 'block', 'list', 'remove', 'encrypt', 'decrypt', 'rekey'])('%s --help has examples', async (name) => {
    const { out, code } = await scene().variables([name, '--help']);
    expect(out).toMatch(new RegExp(`^Usage: boxwright variables ${name} .*\n`));
    expect(out).toMatch(new RegExp(`\nExamples:\n(?:.*\n)*  .*boxwright variables ${name}`));
    expect(code).toBe(0);
  });
});
