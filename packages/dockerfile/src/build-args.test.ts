import { describe, expect, it } from 'vitest';
import { platformArgs, platformArgValues, proxyArgs, resolveArgs, resolveMetaArgs } from './build-args.ts';
import type { ArgInstruction } from './instructions.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

const none = new Map<string, string>();

function arg(text: string): ArgInstruction {
  const instruction = parseDockerfile(`FROM x\nARG ${text}`).stages[0]?.instructions[0];
  if (instruction?.kind !== 'arg') throw new Error('no ARG');
  return instruction;
}

describe('resolveArgs', () => {
  const globalArgs = new Map([
    ['g', 'global'],
    ['TARGETARCH', 'amd64'],
    ['TARGETVARIANT', ''],
  ]);
  const stage = new Map([['e', 'env']]);
  const resolve = (text: string, buildArgs: ReadonlyMap<string, string> = none): object =>
    resolveArgs(arg(text), { lookup: (name) => stage.get(name), buildArgs, globalArgs });

  it.each([
    ['a', [{ key: 'a' }]],
    ['a=1', [{ key: 'a', value: '1' }]],
    ['a=', [{ key: 'a', value: '' }]],
    [
      'a=$e b=$a c=$g',
      [
        { key: 'a', value: 'env' },
        { key: 'b', value: 'env' },
        { key: 'c', value: '' },
      ],
    ],
    [
      'g h=$g',
      [
        { key: 'g', value: 'global' },
        { key: 'h', value: 'global' },
      ],
    ],
    ['g=own', [{ key: 'g', value: 'own' }]],
    ['TARGETARCH', [{ key: 'TARGETARCH', value: 'amd64' }]],
    ['TARGETARCH=x', [{ key: 'TARGETARCH', value: 'x' }]],
    ['TARGETVARIANT', [{ key: 'TARGETVARIANT', value: '' }]],
    [
      'e=new f=$e',
      [
        { key: 'e', value: 'new' },
        { key: 'f', value: 'new' },
      ],
    ],
    [
      'a=1 a=2 b=$a',
      [
        { key: 'a', value: '1' },
        { key: 'a', value: '2' },
        { key: 'b', value: '2' },
      ],
    ],
  ])('%s', (text, expected) => {
    expect(resolve(text)).toEqual(expected);
  });

  it('takes the build argument first', () => {
    const buildArgs = new Map([
      ['a', 'given'],
      ['g', 'given'],
    ]);
    expect(resolve('a=${x?unused} b=$a g', buildArgs)).toEqual([
      { key: 'a', value: 'given' },
      { key: 'b', value: 'given' },
      { key: 'g', value: 'given' },
    ]);
    expect(() => resolve('a=${x?missing}')).toThrow(/missing/);
  });
});

describe('resolveMetaArgs', () => {
  it('goes from top to bottom', () => {
    const dockerfile = parseDockerfile('ARG a=1 b=$a-$TARGETOS c\nARG d=${c:-none} TARGETOS=mine e=$TARGETOS\nFROM x');
    const platform = new Map([['TARGETOS', 'linux']]);
    expect([...resolveMetaArgs(dockerfile, { buildArgs: none, platformArgs: platform })]).toEqual([
      ['TARGETOS', 'mine'],
      ['a', '1'],
      ['b', '1-linux'],
      ['d', 'none'],
      ['e', 'mine'],
    ]);
    const given = resolveMetaArgs(dockerfile, {
      buildArgs: new Map([
        ['c', '3'],
        ['zz', '9'],
      ]),
    });
    expect([given.get('c'), given.get('d'), given.get('b'), given.has('zz')]).toEqual(['3', '3', '1-', false]);
  });

  it('shows the place of a default that fails', () => {
    const dockerfile = parseDockerfile('ARG a=1 \\\n  b=${c?no}\nFROM x', { file: 'D' });
    expect(() => resolveMetaArgs(dockerfile, { buildArgs: none })).toThrow(/^D:2:5: /);
  });
});

describe('predefined arguments', () => {
  it('sets all platform arguments', () => {
    const values = platformArgValues({
      buildPlatform: { os: 'linux', architecture: 'amd64' },
      targetPlatform: { os: 'linux', architecture: 'arm', variant: 'v7' },
      targetStage: '',
      buildArgs: new Map([
        ['TARGETOS', 'plan9'],
        ['other', 'x'],
      ]),
    });
    expect([...values.keys()]).toEqual([...platformArgs]);
    expect(Object.fromEntries(values)).toEqual({
      BUILDPLATFORM: 'linux/amd64',
      BUILDOS: 'linux',
      BUILDOSVERSION: '',
      BUILDARCH: 'amd64',
      BUILDVARIANT: '',
      TARGETPLATFORM: 'linux/arm/v7',
      TARGETOS: 'plan9',
      TARGETOSVERSION: '',
      TARGETARCH: 'arm',
      TARGETVARIANT: 'v7',
      TARGETSTAGE: 'default',
    });
  });

  it('knows the proxies in both cases', () => {
    expect(proxyArgs).toContain('HTTP_PROXY');
    expect(proxyArgs).toContain('all_proxy');
    expect(proxyArgs).toHaveLength(10);
  });
});
