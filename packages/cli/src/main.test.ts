import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sourcesNode, temporaryDirectories } from '@boxwright/testing';
import { expect, it } from 'vitest';

const temporaryDirectory = temporaryDirectories();
const main = fileURLToPath(new URL('main.ts', import.meta.url));
const nodeArgs = ['--conditions=source', main];

it.each([
  [['frobnicate'], 2, /^error: unknown command/],
  [['build', '--no-such-flag', '.'], 2, /^error: unknown option/],
  [['build', '/no/such/directory'], 2, /^error: context \/no\/such\/directory does not exist/],
  [['history', 'nowhere'], 1, /^error: there is no image nowhere .*\[IMAGE_NOT_FOUND\]\nhint: /],
])('%j exits with %i', (args, code, message) => {
  const store = temporaryDirectory();
  const result = spawnSync(sourcesNode, [...nodeArgs, ...args], {
    encoding: 'utf8',
    env: { PATH: '', BOXWRIGHT_HOME: store },
  });
  expect(result.stderr).toMatch(message);
  expect(result.status).toBe(code);
  expect(result.stdout).toBe('');
});

it('ends with 130 after SIGINT', async () => {
  const store = temporaryDirectory();
  // Waits for a Dockerfile that never comes.
  const child = spawn(sourcesNode, [...nodeArgs, 'build', '-f', '-', store], {
    env: { PATH: '', BOXWRIGHT_HOME: store },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const exit = once(child, 'exit');
  while (!catchesHangup(child.pid)) await setTimeout(20);
  child.kill('SIGINT');
  expect(await exit).toEqual([130, null]);
  expect(errors).toBe('error: interrupted [INTERRUPTED]\n');
});

/** Node itself leaves SIGHUP (signal 1) alone, and the program catches it last: proc(5), "SigCgt". */
function catchesHangup(pid: number | undefined): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (BigInt(`0x${caught}`) & 1n) === 1n;
}
