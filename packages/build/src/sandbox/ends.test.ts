import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sourcesNode } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import type { StartedSandbox } from './spec.ts';
import { describeTiers } from './testing/tiers.ts';
import {
  allProcesses,
  cgroupsWith,
  eventually,
  mountNamespaces,
  mountsOfThisProcess,
  processesWith,
  runtimeStates,
} from './testing/traces.ts';

describeTiers('the end of a sandbox', (tier) => {
  describe('ends', () => {
    it('kills everything when it is aborted, at once and with the reason', async () => {
      const marker = '876123';
      const controller = new AbortController();
      const run = tier.bed.run(`trap "" TERM; setsid sleep ${marker} & echo up; sleep ${marker}; sleep ${marker}`, {
        signal: controller.signal,
        onOutput: () => controller.abort(new Error('enough')),
      });
      await expect(run).rejects.toThrow('enough');
      expect(processesWith(marker)).toEqual([]);
    });

    it.each([
      ['trap "echo caught; exit 7" TERM; echo up; while :; do sleep 0.05; done', 'up\ncaught\n', 7],
      // The first process of a namespace ignores what it has no handler for.
      ['echo up; sleep 0.5; echo end; exit 3', 'up\nend\n', 3],
    ])(
      'sends a signal to the command alone, which may do with it what it likes: %s',
      async (script, stdout, exitCode) => {
        let command: StartedSandbox | undefined;
        let output = '';
        const ended = await tier.bed.run(script, {
          onStart: (started) => {
            command = started;
          },
          onOutput: (_stream, chunk) => {
            output += Buffer.from(chunk).toString();
            if (output === 'up\n') command?.send('SIGTERM');
          },
        });
        expect({ exitCode: ended.exitCode, output }).toEqual({ exitCode, output: stdout });
      },
    );

    it('kills a command that gets a signal before it has begun', () => {
      const script = new URL('./testing/signal-at-start.ts', import.meta.url).pathname;
      const output = execFileSync(sourcesNode, ['--conditions=source', script, tier.name], { encoding: 'utf8' });
      expect(output).toBe('exit code 137\n');
    });

    it('does not start when it is aborted before, and stops when it is aborted while it starts', async () => {
      await expect(tier.bed.run('true', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
      const controller = new AbortController();
      const run = tier.bed.run('sleep 765123', { signal: controller.signal });
      controller.abort(new Error('now'));
      await expect(run).rejects.toThrow('now');
      expect(processesWith('765123')).toEqual([]);
    });

    it.skipIf(!existsSync('/usr/bin/script'))('lends its terminal to the command (needs script(1))', () => {
      const script = new URL('./testing/run-in-terminal.ts', import.meta.url).pathname;
      const command = `'${process.execPath}' --conditions=source '${script}' '${tier.name}'`;
      const output = execFileSync('/usr/bin/script', ['-qec', command, '/dev/null'], {
        input: 'typed\n',
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(output.replaceAll('\r', '')).toMatch(/\/dev\/\S+\n(typed\n)*got typed\n(.*\n)*exit code 9\n/);
    });

    it('runs side by side', async () => {
      const results = await Promise.all(
        [1, 2, 3, 4].map((n) => tier.bed.run(`sleep 0.1; echo ${n} > /tmp/n; cat /tmp/n`)),
      );
      expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
    });

    it('leaves no mount in any namespace, no process, no cgroup, no file', async () => {
      const before = await tier.bed.run('echo x > /x', { mounts: [{ kind: 'tmpfs', target: '/t' }] });
      const lower = [tier.bed.base, before.upperDir];
      await tier.bed.run('true', {
        mounts: [{ kind: 'layers', lowerDirs: lower, subpath: '/', target: '/t', readonly: false }],
      });
      await tier.bed.run('', { args: ['nonesuch'] }).catch(() => undefined);
      expect(mountsOfThisProcess()).toEqual([]);
      expect(cgroupsWith('boxwright')).toEqual([]);
      expect(runtimeStates()).toEqual([]);
    });

    it.each(tier.name === 'native' ? [0, 40, 400] : [40])(
      'F5: leaves nothing when this process is killed with SIGKILL %i ms after the start of the command',
      async (delay) => {
        const marker = String(600_000 + Math.trunc(Math.random() * 90_000));
        const home = mkdtempSync(join(tmpdir(), 'boxwright-kill-'));
        const script = new URL('./testing/run-and-wait.ts', import.meta.url).pathname;
        const child = spawn(process.execPath, ['--conditions=source', script, tier.name, marker], {
          env: { ...process.env, TMPDIR: home },
        });
        const exited = new Promise((resolve) => child.once('exit', resolve));
        await new Promise<void>((resolve) => {
          let output = '';
          child.stdout.on('data', (chunk: Buffer) => {
            output += chunk.toString();
            if (output.includes(delay === 0 ? home : 'started')) resolve();
          });
          child.once('exit', () => resolve());
        });
        await sleep(delay);
        // Those of the command, of the sandbox thread and of the init: a mount lives as long as one of them.
        const namespaces = mountNamespaces([String(child.pid), ...processesWith(marker)]).difference(
          mountNamespaces(['self']),
        );
        if (delay > 0) expect(namespaces.size).toBeGreaterThan(1);
        child.kill('SIGKILL');
        await exited;
        const left = (): unknown[] => [
          ...processesWith(marker),
          ...mountNamespaces(allProcesses()).intersection(namespaces),
        ];
        await eventually(() => left().length === 0);
        expect(left()).toEqual([]);
        expect(readdirSync(home).every((name) => name.startsWith('boxwright-sandbox-'))).toBe(true);
        expect(cgroupsWith('boxwright')).toEqual([]);
        expect(runtimeStates()).toEqual([]);
        rmSync(home, { recursive: true });
      },
    );
  });
});
