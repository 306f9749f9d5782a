import { DockerfileError } from '@boxwright/dockerfile';
import { describe, expect, it } from 'vitest';
import { emptyImageState } from './image-state.ts';
import { FakeImages, LINUX_AMD64, type PlanTextOptions, planText, rowsOf, targetOf } from './testing/plan-text.ts';

async function failure(text: string, options: PlanTextOptions = {}): Promise<DockerfileError> {
  const error: unknown = await planText(text, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DockerfileError) return error;
  throw new Error(`no DockerfileError but ${String(error)}`);
}

describe('stages', () => {
  const text = [
    'FROM base:1 AS used',
    'COPY a /',
    'FROM other:1 AS unused',
    'COPY b /',
    'FROM base:1 AS last',
    'COPY --from=used /a /',
    'COPY --from=foreign:1 /x /',
    'FROM nothing:1 AS beyond',
  ].join('\n');

  it('are only planned when the target needs them', async () => {
    const images = new FakeImages({ 'base:1': {}, 'foreign:1': {} });
    const plan = await planText(text, { images, target: 'LAST' });
    expect(images.asked.toSorted()).toEqual(['base:1', 'base:1', 'foreign:1']);
    expect(plan.stages.map(({ steps }) => steps.length)).toEqual([1, 0, 2]);
    expect(plan.target).toBe(2);
    const froms = plan.stages[2]?.steps.flatMap(({ operation }) =>
      operation.kind === 'copy' ? operation.transfers.map(({ from }) => from) : [],
    );
    expect(froms).toEqual([
      { kind: 'stage', stage: 0 },
      { kind: 'stage', stage: 1 },
    ]);
  });

  it('that are not built are read all the same', async () => {
    expect(await failure('FROM base:1 AS broken\nCOPPY a /\nFROM base:1\n')).toMatchObject({
      range: { start: { line: 2 } },
    });
  });

  it('built on a stage start with its image and rows, less its triggers', async () => {
    const stage = await targetOf('FROM base:1 AS a\nENV A=1\nONBUILD ENV O=1\nFROM a\nENV B=2\n');
    expect(stage.base).toEqual({ kind: 'stage', stage: 0 });
    expect(stage.image.settings.onBuild).toEqual([]);
    expect(stage.image.history.map(({ createdBy }) => createdBy)).toEqual(['base', 'ENV A=1', 'ENV O=1', 'ENV B=2']);
  });

  it('ask for a foreign image once however often it is named', async () => {
    const images = new FakeImages({ 'foreign:1': {} });
    const plan = await planText('FROM scratch\nCOPY --from=foreign:1 /a /\nCOPY --from=foreign:1 /b /\n', { images });
    expect(images.asked).toEqual(['foreign:1']);
    expect(plan.stages).toHaveLength(2);
  });

  it('of scratch need no image', async () => {
    const images = new FakeImages();
    const stage = await targetOf('FROM scratch\nCOPY a /\n', { images });
    expect(images.asked).toEqual([]);
    expect(stage.base).toEqual({ kind: 'scratch' });
    expect(stage.image.settings.workingDir).toBe('/');
  });

  it('of an image without layers start from scratch', async () => {
    const images = new FakeImages({ 'base:1': {} });
    images.resolve = async () => ({
      name: 'empty',
      state: emptyImageState(LINUX_AMD64),
      layers: [],
    });
    expect((await targetOf('FROM empty:1\n', { images })).base).toEqual({ kind: 'scratch' });
  });

  it('take their platform from FROM --platform, else from the request', async () => {
    const images = new FakeImages({ 'base:1': {}, 'foreign:1': {} });
    const arm = { os: 'linux', architecture: 'arm64' };
    const dockerfile =
      'FROM --platform=$BUILDPLATFORM base:1 AS a\nCOPY --from=foreign:1 /x /\nFROM base:1\nCOPY --from=a /x /\n';
    await planText(dockerfile, { images, targetPlatform: arm });
    expect(images.asked.map((name, at) => [name, images.platforms[at]?.architecture])).toEqual([
      ['base:1', 'amd64'],
      ['base:1', 'arm64'],
      ['foreign:1', 'arm64'],
    ]);
  });

  it('are left out of the cache by name', async () => {
    const dockerfile = 'FROM base:1 AS First\nCOPY a /\nFROM first AS second\nCOPY b /\n';
    const noCache = async (value: boolean | readonly string[]) =>
      (await planText(dockerfile, { noCache: value })).stages.map((stage) => stage.noCache);
    expect(await noCache(true)).toEqual([true, true]);
    expect(await noCache(['FIRST'])).toEqual([true, false]);
    expect(await noCache(['second'])).toEqual([false, true]);
  });
});

describe('triggers', () => {
  it('of a base image run before the instructions, for the stage built on it alone', async () => {
    const images = new FakeImages({ 'base:1': { onBuild: ['ENV A=1', 'COPY x /', 'ARG G'] } });
    const dockerfile = 'ARG G=g\nFROM base:1 AS a\nENV B=$A-$G\nFROM a\nENV C=1\n';
    expect(await rowsOf(dockerfile, { images })).toEqual([
      'base',
      'ENV A=1',
      'COPY x / # buildkit',
      'ARG G=g',
      'ENV B=1-g',
      'ENV C=1',
    ]);
    const { stages } = await planText(dockerfile, { images });
    expect(stages.map(({ steps }) => steps.map(({ onBuild }) => onBuild))).toEqual([[true], []]);
    expect(images.asked).toEqual(['base:1', 'base:1']);
  });

  it('of triggers: images they copy from are planned too', async () => {
    const images = new FakeImages({
      'base:1': { onBuild: ['COPY --from=tools:1 /x /', 'COPY --from=side /y /'] },
      'tools:1': {},
    });
    const plan = await planText('FROM scratch AS side\nCOPY y /\nFROM base:1\n', { images });
    expect(plan.stages).toHaveLength(3);
    expect(plan.stages[plan.target]?.steps).toHaveLength(2);
  });

  it('that are wrong point at the FROM', async () => {
    const images = new FakeImages({ 'base:1': { onBuild: ['STOPSIGNAL nonsense'] } });
    expect(await failure('# x\nFROM base:1\n', { images })).toMatchObject({
      code: 'DOCKERFILE_STOPSIGNAL',
      range: { start: { line: 2 } },
    });
  });
});

describe('named contexts', () => {
  const directory = new Map([['src', { kind: 'directory', path: '/some/where' } as const]]);

  it('stand in for a stage, none of whose instructions run', async () => {
    const plan = await planText('FROM missing:1 AS src\nRUN x\nFROM base:1\nCOPY --from=src /a /\n', {
      namedContexts: directory,
    });
    expect(plan.stages[0]).toMatchObject({ steps: [], base: { kind: 'named-directory', path: '/some/where' } });
    expect(plan.stages[plan.target]?.steps[0]?.operation).toMatchObject({
      transfers: [{ from: { kind: 'stage', stage: 0 } }],
    });
  });

  it('may be what a stage starts from', async () => {
    const stage = await targetOf('FROM src\nCOPY a /\n', { namedContexts: directory });
    expect(stage.base).toEqual({ kind: 'named-directory', path: '/some/where' });
    expect(stage.steps).toHaveLength(1);
  });

  it('replace an image', async () => {
    const images = new FakeImages({ 'pinned:1': {} });
    const namedContexts = new Map([['base:1', { kind: 'image', reference: 'pinned:1' } as const]]);
    expect((await targetOf('FROM base:1\n', { images, namedContexts })).base).toMatchObject({ name: 'pinned:1' });
    expect(images.asked).toEqual(['pinned:1']);
  });
});

describe('labels', () => {
  it('of the request go on top, on the target alone, without a row', async () => {
    const labels = new Map([
      ['a', 'request'],
      ['c', '3'],
    ]);
    const { stages, target } = await planText('FROM base:1 AS x\nLABEL a=1\nFROM x\nLABEL b=2\n', { labels });
    expect([...(stages[target]?.image.settings.labels ?? [])]).toEqual([
      ['a', 'request'],
      ['b', '2'],
      ['c', '3'],
    ]);
    expect([...(stages[0]?.image.settings.labels ?? [])]).toEqual([['a', '1']]);
    expect(stages[target]?.image.history.at(-1)?.createdBy).toBe('LABEL b=2');
  });
});

describe('errors', () => {
  it.each([
    ['FROM base:1\nENV A=1\nSTOPSIGNAL SIGKLIL\n', 'DOCKERFILE_STOPSIGNAL', 3],
    ['FROM base:1\n\n# x\nVOLUME $NOTHING\n', 'DOCKERFILE_SYNTAX', 4],
    ['FROM base:1\nEXPOSE 99999\n', 'DOCKERFILE_EXPOSE', 2],
    ['FROM base:1\nCOPY --chmod=888 a /\n', 'DOCKERFILE_CHMOD', 2],
    ['FROM base:1\nCOPY --chmod=10000 a /\n', 'DOCKERFILE_CHMOD', 2],
    ['FROM base:1\nCOPY --chmod=u+q a /\n', 'DOCKERFILE_CHMOD', 2],
    ['FROM base:1\nCOPY https://example.com/x /\n', 'DOCKERFILE_COPY_REMOTE', 2],
    ['FROM base:1\nADD https://example.com/x /\n', 'DOCKERFILE_UNSUPPORTED', 2],
    [`FROM base:1\nADD --checksum=sha256:${'a'.repeat(64)} x /\n`, 'DOCKERFILE_CHECKSUM', 2],
    ['FROM base:1\nWORKDIR ${B:?not set}\n', 'DOCKERFILE_EXPANSION', 2],
    ['FROM base:1\nRUN --mount=type=cache x\n', 'DOCKERFILE_MOUNT', 2],
    ['FROM base:1\nRUN --mount=type=secret x\n', 'DOCKERFILE_SYNTAX', 2],
    ['FROM base:1\nCOPY --from=missing:1 /a /\n', 'IMAGE_NOT_FOUND', 2],
    ['FROM scratch\nFROM missing:1\n', 'IMAGE_NOT_FOUND', 2],
    [
      'FROM base:1 AS a\nCOPY --from=b / /\nFROM base:1 AS b\nCOPY --from=a / /\n',
      'DOCKERFILE_CIRCULAR_STAGES',
      undefined,
    ],
    ['FROM base:1\nCOPY --from=7 / /\n', 'DOCKERFILE_UNKNOWN_STAGE', 2],
  ])('%j: %s', async (text, code, line) => {
    const error = await failure(text);
    expect(error).toMatchObject({ code, file: 'Dockerfile' });
    if (line !== undefined) expect(error.range.start.line).toBe(line);
    expect(error.frame).toContain(text.split('\n')[error.range.start.line - 1]);
  });

  it('name the target that is not there, and what is near', async () => {
    const error: unknown = await planText('FROM base:1 AS builder\n', { target: 'bilder' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'DOCKERFILE_UNKNOWN_STAGE' });
    expect(String((error as Error & { hint?: string }).hint)).toContain('builder');
  });

  it('hand on what is none of ours', async () => {
    const images = new FakeImages();
    images.resolve = async () => {
      throw new RangeError('a bug');
    };
    await expect(planText('FROM base:1\n', { images })).rejects.toBeInstanceOf(RangeError);
  });
});

describe('platform', () => {
  it('of a scratch image is the requested one', async () => {
    const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };
    expect((await targetOf('FROM scratch\n', { targetPlatform: arm })).image.platform).toEqual(arm);
    expect((await targetOf('FROM scratch\n')).image.platform).toEqual(LINUX_AMD64);
  });
});
