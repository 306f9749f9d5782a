import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli.ts';
import { testContext } from '../testing/test-context.ts';

const temporaryDirectory = temporaryDirectories();

describe('boxwright dockerfile --auto', () => {
  it('prints a Dockerfile for a project, and nothing else on standard output', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'go.mod'), 'module example.com/app\n\ngo 1.24\n');
    writeFileSync(join(directory, 'main.go'), 'package main\n\nfunc main() {}\n');
    const context = testContext({ cwd: directory });
    expect(await runCli(['dockerfile', '--auto'], context)).toBe(0);
    expect(context.stdout.text).toMatch(/^FROM .*golang/m);
    expect(context.stderr.text).toContain('.dockerignore');
    const json = testContext({ cwd: '/' });
    expect(await runCli(['dockerfile', '--auto', directory, '--format', 'json'], json)).toBe(0);
    expect(JSON.parse(json.stdout.text)).toMatchObject({ kind: 'go', dockerfile: context.stdout.text });
  });

  it('refuses what belongs to images, and directories that say nothing', async () => {
    const directory = temporaryDirectory();
    const context = testContext({ cwd: directory });
    expect(await runCli(['dockerfile', '--auto', '--verify', '.'], context)).toBe(2);
    expect(await runCli(['dockerfile', '--auto', '.'], context)).toBe(1);
    expect(context.stderr.text).toContain('[AUTOMATIC_UNKNOWN]');
    expect(await runCli(['dockerfile'], context)).toBe(2);
  });
});
