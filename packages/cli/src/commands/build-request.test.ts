import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectories } from '@boxwright/testing';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addBuildFlags, type BuildFlags } from './build-flags.ts';
import { buildRequest, type RequestFromFlags } from './build-request.ts';

const temporaryDirectory = temporaryDirectories();

function request(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = temporaryDirectory(),
): RequestFromFlags {
  const command = addBuildFlags(new Command('boxwright build').argument('<context>').exitOverride());
  command.configureOutput({ writeErr: () => {} }).parse([...args], { from: 'user' });
  return buildRequest(command.args[0] ?? '', command.opts<BuildFlags>(), { env, cwd });
}

describe('buildRequest', () => {
  it('has plain defaults', () => {
    const cwd = temporaryDirectory();
    expect(request(['.'], {}, cwd)).toEqual({
      contextDir: cwd,
      dockerfilePath: 'Dockerfile',
      tags: [],
      buildArgs: new Map(),
      labels: new Map(),
      annotations: new Map(),
      noCache: false,
      secrets: [],
      namedContexts: new Map(),
      network: 'default',
      extraHosts: [],
      outputs: [],
    });
  });

  it('takes every flag', () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'ctx'));
    const args = [
      'ctx',
      '-f',
      'docker/App',
      '-t',
      'app',
      '--tag=ghcr.io/x/app:1',
      '-t',
      'app:latest',
      '--target',
      'release',
    ]
      .concat([
        '--build-arg',
        'A=1',
        '--label',
        'l=2',
        '--annotation',
        'n=3',
        '--platform',
        'linux/arm64',
        '--network=none',
      ])
      .concat(['--secret', 'id=t,env=T', '--build-context', 'b=docker-image://base', '--add-host', 'h:1.2.3.4'])
      .concat(['-o', 'type=oci,dest=x.tar,name=also', '-o', 'dir', '--no-cache-filter', 'a,b', '--no-cache-filter=c']);
    expect(request(args, { T: 'tok', SOURCE_DATE_EPOCH: '7' }, cwd)).toEqual({
      contextDir: join(cwd, 'ctx'),
      dockerfilePath: 'docker/App',
      tags: ['docker.io/library/app:latest', 'ghcr.io/x/app:1', 'docker.io/library/also:latest'],
      target: 'release',
      buildArgs: new Map([
        ['SOURCE_DATE_EPOCH', '7'],
        ['A', '1'],
      ]),
      labels: new Map([['l', '2']]),
      annotations: new Map([['n', '3']]),
      platform: { os: 'linux', architecture: 'arm64' },
      noCache: ['a', 'b', 'c'],
      secrets: [{ id: 't', source: { value: Buffer.from('tok') } }],
      namedContexts: new Map([['b', { kind: 'image', reference: 'base' }]]),
      network: 'none',
      extraHosts: [{ host: 'h', address: '1.2.3.4' }],
      outputs: [
        { type: 'oci', dest: join(cwd, 'x.tar'), tar: true },
        { type: 'local', dest: join(cwd, 'dir') },
      ],
      sourceDateEpoch: 7,
    });
  });

  it('pushes once, however often it is told to', () => {
    const push = { compression: { compression: 'gzip' } };
    expect(request(['.', '-t', 'a', '--push', '--pull'])).toMatchObject({
      outputs: [{ type: 'image', push }],
      pull: true,
    });
    const both = request(['.', '--push', '-o', 'type=registry,name=a,compression=zstd']);
    expect(both.outputs).toEqual([{ type: 'image', push: { compression: { compression: 'zstd' } } }]);
    expect(both.tags).toEqual(['docker.io/library/a:latest']);
  });

  it('tells --no-cache from --no-cache-filter', () => {
    expect(request(['.', '--no-cache']).noCache).toBe(true);
    expect(request(['.', '--no-cache', '--no-cache-filter', 'a']).noCache).toBe(true);
    expect(request(['.', '--no-cache-filter', 'a']).noCache).toEqual(['a']);
  });

  it('shows a Dockerfile outside of the working directory in full', () => {
    const other = temporaryDirectory();
    expect(request([other]).dockerfilePath).toBe(join(other, 'Dockerfile'));
  });

  it('leaves -f - to the caller', () => {
    expect(request(['-f', '-', '.']).dockerfilePath).toBe('-');
  });

  it.each([
    [['-'], 'standard input'],
    [['-f', '-', '-'], 'standard input'],
    [['https://github.com/a/b.git#main'], 'git repositories'],
    [['git@github.com:a/b.git'], 'git repositories'],
    [['github.com/a/b'], 'git repositories'],
    [['nowhere'], 'does not exist'],
    [['context.tar'], 'is not a directory'],
    [['.', '-t', `a@sha256:${'a'.repeat(64)}`], 'digest'],
    [['.', '-o', '-', '-o', 'type=oci,dest=-'], 'only one --output'],
    [['.', '--push'], 'needs a name'],
    [['.', '-o', 'type=registry'], 'needs a name'],
    [['.', '--squash'], 'no --squash'],
    [['.', '--platform', 'linux/amd64,linux/arm64'], 'several platforms'],
  ])('refuses %j', (args, part) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'context.tar'), '');
    expect(() => request(args, {}, cwd)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(part), hint: expect.anything() }),
    );
  });
});
