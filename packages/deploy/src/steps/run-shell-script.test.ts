import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testStepContext } from '../testing/step-context.ts';
import { runShellScript } from './run-shell-script.ts';

describe('runShellScript', () => {
  it('runs each line as a process of its own', async () => {
    const context = testStepContext();
    const script = "\n  printf 'a b\\n'  \n\nprintf %s $HOME\nsh -c 'echo warn >&2'\n";
    const result = await runShellScript({ script }, context);
    expect(result).toEqual({ stdout: 'a b\n$HOME', stderr: 'warn' });
    expect(context.lines).toEqual(['a b', '$HOME', 'warn']);
  });

  it('stops at the first failure', async () => {
    const context = testStepContext();
    const script = 'echo one\nsh -c "echo why >&2; exit 3"\ntouch never';
    const failure = runShellScript({ script }, context);
    await expect(failure).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: '`run_shell_script` failed with error code 3: why',
      details: { exitCode: 3 },
    });
    expect(existsSync(join(context.directory.path, 'never'))).toBe(false);
  });

  it('reads lines by a shell when asked, each with a shell of its own', async () => {
    const script = 'X=1; echo $X | tr 1 2\necho "$X" > out; cat out';
    expect(await runShellScript({ script, shell: true }, testStepContext())).toEqual({ stdout: '2', stderr: '' });
  });

  it('expands variables when asked', async () => {
    const env = new Map([['NAME', 'a "b" $OTHER']]);
    const context = testStepContext();
    const script = 'echo ${NAME} $UNKNOWN $$NAME';
    const { stdout } = await runShellScript({ script, env, expandEnvVars: true }, context);
    expect(stdout).toBe('a b $OTHER $UNKNOWN $NAME');
    expect((await runShellScript({ script: "sh -c 'echo $NAME'", env }, context)).stdout).toBe('a "b" $OTHER');
  });

  it('runs in the directory of the steps, or below it', async () => {
    const context = testStepContext();
    mkdirSync(join(context.directory.path, 'sub'));
    writeFileSync(join(context.directory.path, 'sub/file'), 'content');
    expect((await runShellScript({ script: 'cat file', directory: 'sub' }, context)).stdout).toBe('content');
  });

  it('hides secrets in what it shows, not in results', async () => {
    const context = testStepContext();
    context.redactor.add('s3cr3t');
    const { stdout } = await runShellScript({ script: 'echo s3cr3t' }, context);
    expect(stdout).toBe('s3cr3t');
    expect(context.lines).toEqual(['***']);
    expect(JSON.stringify(context.events)).not.toContain('s3cr3t');
  });

  it('names a command that is not there', async () => {
    await expect(runShellScript({ script: 'no-such-command-here' }, testStepContext())).rejects.toMatchObject({
      code: 'COMMAND_NOT_FOUND',
    });
  });

  it('ends what it has started when it is aborted', async () => {
    const abort = new AbortController();
    const context = testStepContext({ signal: abort.signal });
    const script = "sh -c 'echo started; sleep 60 & wait; touch late'";
    const stop = (async (): Promise<void> => {
      while (context.lines.length === 0) await new Promise((fulfil) => setTimeout(fulfil, 5));
      abort.abort(new Error('enough'));
    })();
    await expect(runShellScript({ script }, context)).rejects.toThrow('enough');
    await stop;
  });
});
