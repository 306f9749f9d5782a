import { describe, expect, it } from 'vitest';
import { DockerfileError } from './dockerfile-error.ts';
import { parseDockerfile, parseTrigger } from './parse-dockerfile.ts';
import { type SelectStagesOptions, selectStages } from './stages.ts';

/** `index: base <- dependencies` of the stages selected. */
function select(text: string, options: SelectStagesOptions = {}): string[] {
  return selectStages(parseDockerfile(text), options).stages.map(({ stage, base, dependencies }) => {
    let on = 'scratch';
    if (base.kind === 'stage') on = `#${base.index}`;
    else if (base.kind === 'image') on = base.reference;
    else if (base.kind === 'context') on = `context ${base.name}`;
    return `${stage.index}: ${on} <- ${dependencies.join(',')}`;
  });
}

function codeOf(text: string, options: SelectStagesOptions = {}): string {
  try {
    selectStages(parseDockerfile(text), options);
  } catch (error) {
    if (error instanceof DockerfileError) return error.code;
    throw error;
  }
  return 'none';
}

describe('selectStages', () => {
  it.each([
    ['FROM a', ['0: a <- ']],
    ['FROM scratch', ['0: scratch <- ']],
    ['FROM a AS b\nFROM B', ['0: a <- ', '1: #0 <- 0']],
    ['FROM a\nFROM b', ['1: b <- ']],
    ['FROM a AS x\nFROM b\nCOPY --from=X /a /b', ['0: a <- ', '1: b <- 0']],
    ['FROM a\nFROM b\nCOPY --from=0 /a /b', ['0: a <- ', '1: b <- 0']],
    ['FROM a\nFROM b\nCOPY --from=alpine /a /b', ['1: b <- ']],
    ['FROM a AS x\nFROM b\nRUN --mount=from=x,target=/m c', ['0: a <- ', '1: b <- 0']],
    // A mount knows no numbers.
    ['FROM a AS x\nFROM b\nRUN --mount=from=0,target=/m c', ['1: b <- ']],
    ['FROM a AS x\nFROM b\nRUN --mount=type=tmpfs,from=x,target=/m c', ['1: b <- ']],
    // A later stage of the same name hides the earlier one.
    ['FROM a AS x\nFROM b AS x\nFROM x', ['1: b <- ', '2: #1 <- 1']],
    ['FROM a AS x\nFROM x AS x\nFROM x', ['0: a <- ', '1: #0 <- 0', '2: #1 <- 1']],
    // FROM sees only what is above.
    ['FROM b AS a\nFROM a AS b\nFROM b', ['0: b <- ', '1: #0 <- 0', '2: #1 <- 1']],
    ['FROM a AS a', ['0: a <- ']],
    ['FROM a AS scratch\nFROM scratch', ['0: a <- ', '1: #0 <- 0']],
    [
      'FROM a AS x\nFROM b AS y\nFROM c AS z\nCOPY --from=y a b\nFROM z\nCOPY --from=x a b',
      ['0: a <- ', '1: b <- ', '2: c <- 1', '3: #2 <- 0,2'],
    ],
    // Not built, so it may read from a later stage.
    ['FROM a AS x\nCOPY --from=y a b\nFROM b AS y', ['1: b <- ']],
  ])('%j', (text, expected) => {
    expect(select(text)).toEqual(expected);
  });

  it('takes a target by name in any case', () => {
    const text = 'FROM a AS One\nFROM b AS two\nFROM c\nFROM d';
    for (const [target, expected] of [
      ['one', '0: a <- '],
      ['TWO', '1: b <- '],
      ['', '3: d <- '],
    ] as const) {
      expect(select(text, { target })).toEqual([expected]);
    }
    expect(select(text, { all: true })).toHaveLength(4);
  });

  it('lists the stages when the target is not there', () => {
    const dockerfile = parseDockerfile('FROM a AS build\nFROM b', { file: 'D' });
    expect(() => selectStages(dockerfile, { target: 'biuld' })).toThrow(
      expect.objectContaining({
        code: 'DOCKERFILE_UNKNOWN_STAGE',
        reason: 'there is no stage "biuld" (did you mean build?)',
        hint: 'Named stages: build.',
        details: expect.objectContaining({ stages: ['build'] }),
      }),
    );
    expect(() => selectStages(dockerfile, { target: '0' })).toThrow(/no stage "0"/);
    expect(() => selectStages(dockerfile, { target: 'constructor' })).toThrow(/no stage/);
  });

  it.each([
    ['FROM a AS x\nCOPY --from=x a b', 'DOCKERFILE_CIRCULAR_STAGES'],
    ['FROM a\nCOPY --from=0 a b', 'DOCKERFILE_CIRCULAR_STAGES'],
    ['FROM a AS x\nRUN --mount=from=x,target=/m a', 'DOCKERFILE_CIRCULAR_STAGES'],
    ['FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nCOPY --from=x a b\nFROM c', 'DOCKERFILE_CIRCULAR_STAGES'],
    ['FROM a AS x\nCOPY --from=z a b\nFROM x AS y\nFROM y AS z\nFROM c', 'DOCKERFILE_CIRCULAR_STAGES'],
    ['FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nFROM x', 'DOCKERFILE_UNKNOWN_STAGE'],
    ['FROM a AS x\nFROM b AS y\nCOPY --from=x a b\nFROM c AS x\nFROM y', 'DOCKERFILE_UNKNOWN_STAGE'],
    ['FROM a\nCOPY --from=1 a b', 'DOCKERFILE_UNKNOWN_STAGE'],
    ['FROM a\nCOPY --from=-1 a b\nFROM b', 'DOCKERFILE_UNKNOWN_STAGE'],
    ['FROM a\nCOPY --from=$x a b\nFROM b', 'DOCKERFILE_SYNTAX'],
    ['FROM $x\nFROM b', 'DOCKERFILE_SYNTAX'],
    ['FROM --platform=$x b', 'DOCKERFILE_SYNTAX'],
    ['FROM ${x', 'DOCKERFILE_EXPANSION'],
  ])('refuses %j', (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('expands FROM with the global scope', () => {
    const dockerfile = parseDockerfile('ARG v\nFROM --platform=$p a:${v:-1} AS x\nFROM $s');
    const unset: string[] = [];
    const { stages } = selectStages(dockerfile, {
      metaArgs: new Map([
        ['p', 'linux/arm64'],
        ['s', 'x'],
      ]),
      onUnset: (name, stage) => unset.push(`${stage.index}:${name}`),
    });
    expect(stages).toMatchObject([
      { base: { kind: 'image', reference: 'a:1' }, platform: 'linux/arm64' },
      { base: { kind: 'stage', index: 0 } },
    ]);
    expect(stages[1]).not.toHaveProperty('platform');
    expect(unset).toEqual(['0:v']);
  });

  it('says what each instruction reads from', () => {
    const dockerfile = parseDockerfile(
      'FROM a AS x\nFROM b\nCOPY a b\nCOPY --from=x a b\nRUN --mount=type=cache,target=/c --mount=from=img,target=/m --mount=from=x,target=/n y',
    );
    const { target } = selectStages(dockerfile);
    const [plain, copy, run] = target.stage.instructions;
    expect(plain && target.sources.has(plain)).toBe(false);
    expect(copy && target.sources.get(copy)).toEqual([{ kind: 'stage', index: 0 }]);
    expect(run && target.sources.get(run)).toEqual([
      undefined,
      { kind: 'image', reference: 'img' },
      { kind: 'stage', index: 0 },
    ]);
  });

  it('lets named contexts hide stages and images', () => {
    const contexts = new Set(['x', 'img', 'ctx']);
    const isNamedContext = (name: string): boolean => contexts.has(name.toLowerCase());
    expect(select('FROM a AS x\nRUN b\nFROM x', { isNamedContext })).toEqual(['0: context x <- ', '1: #0 <- 0']);
    expect(select('FROM img', { isNamedContext })).toEqual(['0: context img <- ']);
    const { target } = selectStages(parseDockerfile('FROM a\nCOPY --from=CTX a b'), { isNamedContext });
    expect([...target.sources.values()]).toEqual([[{ kind: 'context', name: 'CTX' }]]);
    expect(select('FROM scratch', { isNamedContext: () => true })).toEqual(['0: scratch <- ']);
  });

  it('runs the triggers of the base stage, and of base images when told', () => {
    const text = 'FROM a AS q\nFROM b AS base\nONBUILD COPY --from=q a b\nONBUILD RUN c\nFROM base AS mid\nFROM mid';
    const dockerfile = parseDockerfile(text);
    const { stages } = selectStages(dockerfile);
    expect(stages.map(({ stage, dependencies }) => [stage.index, dependencies])).toEqual([
      [0, []],
      [1, []],
      [2, [0, 1]],
      [3, [2]],
    ]);
    expect(stages[2]?.triggers.map((trigger) => trigger.original)).toEqual(['COPY --from=q a b', 'RUN c']);
    expect(stages[3]?.triggers).toEqual([]);

    const trigger = parseTrigger('COPY --from=q a b', 'ONBUILD of c');
    const simple = parseDockerfile('FROM a AS q\nFROM c');
    expect(selectStages(simple).stages).toHaveLength(1);
    const again = selectStages(simple, { triggers: new Map([[1, [trigger]]]) });
    expect(again.stages).toHaveLength(2);
    expect(again.target.sources.get(trigger)).toEqual([{ kind: 'stage', index: 0 }]);
  });

  it('does not run the triggers of a stage that a context replaces', () => {
    const dockerfile = parseDockerfile('FROM a AS base\nONBUILD RUN c\nFROM base');
    expect(selectStages(dockerfile, { isNamedContext: (name) => name === 'base' }).target.triggers).toEqual([]);
  });

  it('bounds triggers', () => {
    const text = `FROM a AS b\n${'ONBUILD RUN x\n'.repeat(2000)}${'FROM b\n'.repeat(60)}`;
    expect(codeOf(text)).toBe('DOCKERFILE_TOO_LARGE');
  });
});
