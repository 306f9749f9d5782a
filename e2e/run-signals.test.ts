import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { boxwright, boxwrightPath, temporaryOf } from './support/boxwright.ts';
import { Leftovers } from './support/leftovers.ts';
import type { RunOptions } from './support/run.ts';
import { makeScene, missingRun, type Scene } from './support/scene.ts';
import { sendWhenItSays } from './support/send-when-it-says.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

const HANDLER = 'trap "echo caught; exit 7" TERM INT; echo is-up; while :; do sleep 0.05; done';
// Shells themselves listen to SIGINT, now and then.
const DEAF = 'trap "" TERM INT; echo is-up; sleep 1000';
const NO_HANDLER = 'echo is-up; sleep 1000; sleep 1000';

const installed = (program: string): boolean =>
  ['/usr/bin', '/usr/sbin', '/usr/local/bin'].some((directory) => existsSync(join(directory, program)));
const runtimes = ['native', ...['crun', 'runc'].filter(installed)];

function inRuntime(runtime: string, options: RunOptions): RunOptions {
  return { timeoutMs: 60_000, env: { ...process.env, BOXWRIGHT_RUNTIME: runtime }, ...options };
}

async function sceneWithImage(): Promise<{ scene: Scene; leftovers: Leftovers }> {
  const scene = await makeScene({});
  return { scene, leftovers: new Leftovers(scene.home) };
}

function runArgs(script: string, ...flags: string[]): string[] {
  return ['run', '--network=none', ...flags, 'e2e/busybox:1', 'sh', '-c', script];
}

describe.skipIf(missingRun() !== undefined)('a signal for boxwright run', () => {
  describe.each(runtimes)('in tier %s', (runtime) => {
    it.each<[NodeJS.Signals, string[]]>([
      ['SIGTERM', []],
      ['SIGINT', ['-i']],
    ])('%s goes to the command, whose exit code counts: %j', async (signal, flags) => {
      const { scene, leftovers } = await sceneWithImage();
      const onStart = (child: ChildProcess): void => sendWhenItSays(child, 'stdout', 'is-up', signal);
      const result = await boxwright(scene.home, runArgs(HANDLER, ...flags), inRuntime(runtime, { onStart }));
      expect([result.code, result.stdout.toString(), result.stderr]).toEqual([7, 'is-up\ncaught\n', '']);
      expect(await leftovers.find()).toEqual([]);
    });

    it('kills a command that does not listen at the second one', async () => {
      const { scene, leftovers } = await sceneWithImage();
      const onStart = (child: ChildProcess): void => {
        sendWhenItSays(child, 'stdout', 'is-up', 'SIGINT');
        sendWhenItSays(child, 'stderr', 'note: SIGINT was passed on', 'SIGINT');
      };
      const result = await boxwright(scene.home, runArgs(DEAF), inRuntime(runtime, { onStart }));
      expect(result.code).toBe(130);
      expect(result.stderr).toMatch(/^note: SIGINT .*\nerror: interrupted \[INTERRUPTED\]\n$/);
      expect(await leftovers.find()).toEqual([]);
    });

    it.skipIf(!existsSync('/usr/bin/script')).each<[string, (pid: number, keyboard: Writable) => unknown]>([
      ['SIGTERM', (pid) => process.kill(pid, 'SIGTERM')],
      ['Ctrl-C, which the terminal itself sends', (_, keyboard) => keyboard.write('\u0003')],
    ])('reaches a command in a terminal: %s (needs script(1))', async (_, act) => {
      const { scene, leftovers } = await sceneWithImage();
      const result = await runInTerminal(scene, runtime, act);
      expect(result.output).toMatch(/^is-up\r\n(\^C)?(\r\n)?caught\r\n$/);
      expect(result.code).toBe(7);
      expect(await leftovers.find()).toEqual([]);
    });
  });

  it('gives a command that does not listen ten seconds', async () => {
    const { scene } = await sceneWithImage();
    const begun = Date.now();
    const onStart = (child: ChildProcess): void => sendWhenItSays(child, 'stdout', 'is-up', 'SIGTERM');
    const result = await boxwright(scene.home, runArgs(NO_HANDLER), { timeoutMs: 60_000, onStart });
    expect(result.code).toBe(143);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(10_000);
    expect(result.stderr).toMatch(/10 s to end[\s\S]*error: stopped by SIGTERM \[INTERRUPTED\]\n$/);
  });
});

/** Runs the command with the handlers on a terminal of script(1), and acts once it is up. */
async function runInTerminal(
  scene: Scene,
  runtime: string,
  act: (pid: number, keyboard: Writable) => unknown,
): Promise<{ readonly code: unknown; readonly output: string }> {
  const pidFile = join(scene.directory, 'pid');
  const command = [boxwrightPath, ...runArgs(HANDLER, '-t')].map((word) => `'${word}'`).join(' ');
  const env = { ...process.env, BOXWRIGHT_HOME: scene.home, TMPDIR: temporaryOf(scene.home), SHELL: '/bin/sh' };
  const child = spawn('/usr/bin/script', ['-qec', `echo $$ > '${pidFile}'; exec ${command}`, '/dev/null'], {
    env: { ...env, BOXWRIGHT_RUNTIME: runtime },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const wasUp = output.includes('is-up');
    output += chunk.toString();
    if (!wasUp && output.includes('is-up')) act(Number(readFileSync(pidFile, 'utf8')), child.stdin);
  });
  const [code]: unknown[] = await once(child, 'close');
  return { code, output };
}
