import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { runCli } from './cli.ts';
import { commandTable } from './command-table.ts';
import { InterruptedError } from './interrupted.ts';
import { testContext } from './testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();

describe('runCli', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])('%j lists every command', async (args) => {
    const context = testContext();
    expect(await runCli(args, context)).toBe(0);
    for (const name of commandTable.keys()) expect(context.stdout.text).toContain(`\n  ${name} `);
    expect(context.stderr.text).toBe('');
  });

  it.each([...commandTable.keys()])('%s --help shows options and examples', async (name) => {
    const context = testContext();
    expect(await runCli([name, '--help'], context)).toBe(0);
    expect(context.stdout.text).toMatch(new RegExp(`^Usage: boxwright ${name} `));
    expect(context.stdout.text).toContain('--store <dir>');
    expect(context.stdout.text).toMatch(new RegExp(`Examples:\\n  [^\\n]*boxwright ${name}\\b`));
    expect(context.stdout.text).not.toContain('--squash');
    const other = testContext();
    await runCli(['help', name], other);
    expect(other.stdout.text).toBe(context.stdout.text);
  });

  it.each([
    [['bulid', '.'], "error: unknown command 'bulid' [USAGE]\nhint: Did you mean 'boxwright build'?\n"],
    [['--frobnicate'], "error: unknown option '--frobnicate' [USAGE]\nhint: boxwright --help lists the commands.\n"],
    [['evil\u001b[2J'], "error: unknown command 'evil\\x1b[2J' [USAGE]\nhint: boxwright --help lists the commands.\n"],
    [['build', '--tga', 'x', '.'], "error: unknown option '--tga' [USAGE]\nhint: Did you mean --tag?\n"],
    [
      ['build'],
      "error: missing required argument 'context' [USAGE]\nhint: 'boxwright build --help' shows the options.\n",
    ],
    [['build', 'a', 'b'], 'error: too many arguments'],
    [['build', '-t'], "error: option '-t, --tag <name>' argument missing"],
    [['build', '--squash', '.'], 'error: boxwright build has no --squash [USAGE]\nhint: Layers'],
    [['pull', 'oci:layout'], 'error: pull takes names in a registry, oci:layout is none [USAGE]\nhint: Use'],
    [['push', '-a', 'a', 'b'], 'error: --all-tags pushes every tag under its own name [USAGE]'],
    [['copy', 'a'], "error: missing required argument 'destination' [USAGE]"],
    [['copy', '-a', 'docker://a', 'oci:b'], 'error: --all-tags: oci:b holds no repository [USAGE]'],
    [['copy', '--compression', 'lzma', 'a', 'b'], 'error: --compression lzma: unknown kind of compression [USAGE]'],
    [['tags', 'a:1'], 'error: a:1 names one image, not a repository [USAGE]'],
    [['tags', '--limit', '0', 'a'], 'error: --limit 0: must be a whole number'],
    [['build', '--progress', 'fancy', '.'], "argument 'fancy' is invalid"],
    [
      ['build', '-t', 'UPPER', '.'],
      'error: invalid image name "UPPER": the repository name must be lower case [REFERENCE_INVALID]\nhint: Write upper.\n',
    ],
  ])('%j', async (args, message) => {
    const context = testContext({ cwd: temporaryDirectory() });
    const code = await runCli(args, context);
    expect(context.stderr.text).toContain(message);
    expect(code).toBe(message.includes('REFERENCE_INVALID') ? 1 : 2);
    expect(context.stdout.text).toBe('');
  });

  it.each([[['build', '--progress=rawjson', 'nowhere']], [['build', '--progress', 'rawjson', 'nowhere']]])(
    '%j prints its error as JSON',
    async (args) => {
      const context = testContext({ cwd: temporaryDirectory() });
      expect(await runCli(args, context)).toBe(2);
      expect(JSON.parse(context.stderr.text)).toEqual({
        error: { code: 'USAGE', message: expect.stringContaining('does not exist'), hint: expect.any(String) },
      });
    },
  );

  it('reports a signal with its exit code', async () => {
    const interruption = new AbortController();
    interruption.abort(new InterruptedError('SIGINT'));
    const context = testContext({ signal: interruption.signal });
    expect(await runCli(['help'], context)).toBe(130);
    expect(context.stderr.text).toBe('error: interrupted [INTERRUPTED]\n');
  });
});
