import { describe, expect, it } from 'vitest';
import { parseCheckOptions } from './check-options.ts';
import { undefinedVariable } from './lint.ts';
import { looksSecret } from './lint-stage.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

/** `line rule` of each warning. */
function rules(text: string): string[] {
  return parseDockerfile(text).warnings.map(({ rule, range }) => `${range.start.line} ${rule}`);
}

describe('warnings', () => {
  // Checked against `docker build --check` of Docker Engine 28.5, which warns about the same lines.
  it.each([
    ['FROM a AS B', ['1 StageNameCasing']],
    ['FROM a as b', ['1 FromAsCasing']],
    ['from a AS b', ['1 FromAsCasing']],
    ['from a as b', []],
    ['FROM a AS as', []],
    ['FROM a AS b\nFROM c AS b', ['2 DuplicateStageName']],
    ['FROM a AS scratch\nFROM a AS context', ['1 ReservedStageName', '2 ReservedStageName']],
    ['FROM a\nrun b\nCmd ["c"]\nUSER d', ['2 ConsistentInstructionCasing', '3 ConsistentInstructionCasing']],
    ['from a\nrun b\nUSER d', ['3 ConsistentInstructionCasing']],
    ['FROM a\nCMD b\nENTRYPOINT c', ['2 JSONArgsRecommended', '3 JSONArgsRecommended']],
    ['FROM a\nCMD ["b"]\nHEALTHCHECK CMD c\nRUN d', []],
    ['FROM a\nSHELL ["s"]\nCMD b', []],
    ['FROM a AS b\nSHELL ["s"]\nFROM b\nCMD c', []],
    ['FROM a\nMAINTAINER b', ['2 MaintainerDeprecated']],
    ['ARG v\nFROM a$v$w', ['2 UndefinedArgInFrom']],
    ['FROM --platform=$BUILDPLATFORM a', []],
    ['FROM --platform=$TARGETPLATFORM a', ['1 RedundantTargetPlatform']],
    ['FROM --platform=linux/amd64 a', ['1 FromPlatformFlagConstDisallowed']],
    ['FROM --platform=linux/amd64 a AS b-amd64', []],
    ['ARG v\nFROM a:$v', ['2 InvalidDefaultArgInFrom']],
    ['ARG v\nFROM $v', ['2 InvalidDefaultArgInFrom']],
    ['ARG v=b\nFROM a/$v:1', []],
    ['ARG v\nFROM a:${v:-1}', []],
    ['FROM a:${TARGETARCH}', []],
    ['FROM a\nWORKDIR b', ['2 WorkdirRelativePath']],
    ['FROM a\nWORKDIR /b\nWORKDIR c', []],
    ['FROM a\nWORKDIR b\nWORKDIR c', ['2 WorkdirRelativePath']],
    ['FROM a\nWORKDIR $b', []],
    ['FROM a AS b\nWORKDIR /c\nFROM b\nWORKDIR d', []],
    ['FROM a\nCMD ["b"]\nCMD ["c"]', ['2 MultipleInstructionsDisallowed']],
    [
      'FROM a\nHEALTHCHECK NONE\nHEALTHCHECK NONE\nHEALTHCHECK NONE',
      ['2 MultipleInstructionsDisallowed', '3 MultipleInstructionsDisallowed'],
    ],
    ['FROM a AS b\nCMD ["b"]\nFROM b\nCMD ["c"]', []],
    ['FROM a\nENV b c\nLABEL d e', ['2 LegacyKeyValueFormat', '3 LegacyKeyValueFormat']],
    ['FROM a\nENV GITHUB_TOKEN=b\nARG password\nLABEL TOKEN=c', ['2 SecretsUsedInArgOrEnv', '3 SecretsUsedInArgOrEnv']],
    ['ARG password\nFROM a', []],
    ['FROM a\nEXPOSE 80/TCP 1.2.3.4:80:80 $p', ['2 ExposeInvalidFormat', '2 ExposeProtoCasing']],
    ['FROM a\nRUN b \\\n\n c', ['3 NoEmptyContinuation']],
    ['# check=skip=all\nFROM a as B', []],
    ['# check=skip=StageNameCasing,Nope\nFROM a as B', ['2 FromAsCasing']],
    ['# check=skip=stagenamecasing\nFROM a AS B', ['2 StageNameCasing']],
  ])('%j', (text, expected) => {
    expect(rules(text)).toEqual(expected);
  });

  it('names the stage of rules that only stages being built report', () => {
    const { warnings } = parseDockerfile('FROM a AS B\nFROM c\nCMD d');
    expect(warnings.map(({ rule, stage }) => [rule, stage])).toEqual([
      ['StageNameCasing', undefined],
      ['JSONArgsRecommended', 1],
    ]);
  });

  it('lets the caller replace the directive', () => {
    expect(parseDockerfile('FROM a AS B', { check: 'skip=all' }).warnings).toEqual([]);
    expect(parseDockerfile('# check=skip=all\nFROM a AS B', { check: '' }).warnings).toHaveLength(1);
  });
});

describe('undefinedVariable', () => {
  it('suggests a name', () => {
    const instruction = parseDockerfile('FROM a\nENV x=$PATHH').stages[0]?.instructions[0];
    if (instruction === undefined) throw new Error('no instruction');
    const warning = undefinedVariable(instruction, 'PATHH', ['HOME', 'PATH']);
    expect(warning).toMatchObject({ rule: 'UndefinedVar', range: { start: { line: 2 } } });
    expect(warning.message).toContain('did you mean $PATH?');
  });
});

describe('looksSecret', () => {
  it.each([
    ['API_KEY', true],
    ['password', true],
    ['DB_PASSWORD_1', true],
    ['apikey', true],
    ['AUTH', true],
    ['keyboard', false],
    ['TOKENIZER', false],
    ['MY_PUBLIC_KEY', false],
    ['SECRET_FILE', false],
    ['KEY_VERSION', false],
  ])('%s: %s', (name, expected) => {
    expect(looksSecret(name)).toBe(expected);
  });
});

describe('parseCheckOptions', () => {
  it.each([
    ['', { skip: new Set(), experimental: new Set(), error: false }],
    ['skip=all', { skip: 'all', experimental: new Set(), error: false }],
    ['skip=A, B;error=1', { skip: new Set(['A', '']), experimental: new Set(), error: false }],
    ['skip=A,B;error=1', { skip: new Set(['A', 'B']), experimental: new Set(), error: true }],
    ['error=true;error=false;experimental=all', { skip: new Set(), experimental: 'all', error: false }],
  ])('%j', (text, expected) => {
    expect(parseCheckOptions(text)).toEqual(expected);
  });

  it.each(['x', 'skip', 'error = true', 'error=maybe', 'skip=A;', 'Skip=A'])('refuses %j', (text) => {
    expect(parseCheckOptions(text)).toHaveProperty('reason');
  });
});
