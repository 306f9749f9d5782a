import { describe, expect, it } from 'vitest';
import { DEFAULT_PATH } from './image-state.ts';
import type { CopyOperation, RunOperation } from './operation.ts';
import { FakeImages, rowsOf, targetOf } from './testing/plan-text.ts';

/** Rows after the base image's. */
async function ownRows(lines: string, options: Parameters<typeof rowsOf>[1] = {}): Promise<readonly string[]> {
  return (await rowsOf(`FROM base:1\n${lines}\n`, options)).slice(1);
}

async function settingsOf(lines: string, options: Parameters<typeof targetOf>[1] = {}) {
  return (await targetOf(`FROM base:1\n${lines}\n`, options)).image.settings;
}

async function runOf(lines: string, options: Parameters<typeof targetOf>[1] = {}): Promise<RunOperation> {
  const operations = (await targetOf(`FROM base:1\n${lines}\n`, options)).steps.map(({ operation }) => operation);
  const run = operations.findLast((operation) => operation.kind === 'run');
  if (run === undefined) throw new Error('no RUN');
  return run;
}

async function copyOf(lines: string): Promise<CopyOperation> {
  const { steps } = await targetOf(`FROM base:1\n${lines}\n`);
  const operation = steps.at(-1)?.operation;
  if (operation?.kind !== 'copy') throw new Error('no COPY');
  return operation;
}

describe('history rows', () => {
  // Each as Docker 28 with BuildKit writes it.
  it.each([
    ['ENV A=1 B="x y"', ['ENV A=1 B=x y']],
    ['ENV legacy some  value', ['ENV legacy=some  value']],
    ['LABEL k=v "q r"=\'x y\'', ['LABEL k=v q r=x y']],
    ['ARG A=1 B', ['ARG A=1 B']],
    ['EXPOSE 80 443/TCP 1000-1002', ['EXPOSE [1000/tcp 1001/tcp 1002/tcp 443/tcp 80/tcp]']],
    ['VOLUME /v "/w"', ['VOLUME [/v /w]']],
    ['VOLUME ["/j", "/k k"]', ['VOLUME [/j /k k]']],
    ['USER 12:34', ['USER 12:34']],
    ['WORKDIR /a/./b/..//c/', ['WORKDIR /a/./b/..//c/']],
    ['SHELL ["/bin/ash", "-c"]', ['SHELL [/bin/ash -c]']],
    ['CMD echo  hi', ['CMD ["/bin/sh" "-c" "echo  hi"]']],
    ['ENTRYPOINT ["/é", "q\\"", "\\u0007\\t"]', ['ENTRYPOINT ["/é" "q\\"" "\\a\\t"]']],
    ['ENTRYPOINT []', ['ENTRYPOINT []']],
    ['STOPSIGNAL SIGKILL', ['STOPSIGNAL SIGKILL']],
    ['MAINTAINER me <a@b>', ['MAINTAINER me <a@b>']],
    [
      'HEALTHCHECK --interval=90s --retries=3 CMD curl x',
      ['HEALTHCHECK &{["CMD-SHELL" "curl x"] "1m30s" "0s" "0s" "0s" \'\\x03\'}'],
    ],
    ['HEALTHCHECK NONE', ['HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" \'\\x00\'}']],
    ['RUN echo a', ['RUN /bin/sh -c echo a # buildkit']],
    ['RUN ["/bin/sh", "-c", "echo  a"]', ['RUN /bin/sh -c echo  a # buildkit']],
    ['RUN --network=none --mount=type=tmpfs,target=/t echo a', ['RUN /bin/sh -c echo a # buildkit']],
    ['RUN <<EOF\necho a\necho b\nEOF', ['RUN /bin/sh -c echo a\necho b\n # buildkit']],
    ['RUN <<EOF\n#!/bin/sh\nx\nEOF', ['RUN /bin/sh -c /dev/pipes/EOF # buildkit']],
    ['RUN cat <<A <<B\n1\nA\n2\nB', ['RUN /bin/sh -c cat <<A <<B\n1\nA\n2\nB # buildkit']],
    ['COPY --link --exclude=*.md a b /c/', ['COPY a b /c/ # buildkit']],
    ['COPY --parents --chown=1:2 --chmod=640 a /c/', ['COPY --parents --chown=1:2 --chmod=640 a /c/ # buildkit']],
    ['COPY <<x <<y /d/\n1\nx\n2\ny', ['COPY <<x <<y /d/ # buildkit']],
    ['ADD a.tar /', ['ADD a.tar / # buildkit']],
    ['ONBUILD RUN x', []],
  ])('%s', async (lines, rows) => {
    expect(await ownRows(lines)).toEqual(rows);
  });

  it('are marked as made by the Dockerfile, with a layer only where files may change', async () => {
    const { image } = await targetOf('FROM base:1\nENV A=1\nWORKDIR /w\nWORKDIR /\nCOPY a /\nRUN x\nCMD x\n');
    const own = image.history.slice(1);
    expect(own.map(({ emptyLayer }) => emptyLayer)).toEqual([true, false, true, false, false, true]);
    expect(own.every(({ comment, created }) => comment === 'buildkit.dockerfile.v0' && created === undefined)).toBe(
      true,
    );
  });

  it('all have the time of SOURCE_DATE_EPOCH, those of the base keep theirs', async () => {
    const { image } = await targetOf('FROM base:1\nENV A=1\nCOPY a /\n', { sourceDateEpoch: 1_700_000_000 });
    expect(image.history.map(({ created }) => created)).toEqual([
      '2024-01-01T00:00:00Z',
      '2023-11-14T22:13:20Z',
      '2023-11-14T22:13:20Z',
    ]);
  });

  it('tell each step which row is its own', async () => {
    const { steps } = await targetOf('FROM base:1\nENV A=1\nCOPY a /\nLABEL a=b\nRUN x\n');
    expect(steps.map(({ row }) => row)).toEqual([2, 4]);
  });

  it('show the ARGs in force with each RUN', async () => {
    const lines = 'ARG A=1\nARG B\nRUN one\nENV A=env\nARG C="x y" A=again\nRUN two';
    expect(await ownRows(lines, { buildArgs: new Map([['B', 'given']]) })).toEqual([
      'ARG A=1',
      'ARG B=given',
      'RUN |2 A=1 B=given /bin/sh -c one # buildkit',
      'ENV A=env',
      'ARG C=x y A=again',
      'RUN |3 A=again B=given C=x y /bin/sh -c two # buildkit',
    ]);
  });
});

describe('settings', () => {
  it('get a PATH when the base has none, at the end', async () => {
    const images = new FakeImages({ 'base:1': { env: ['X=1'] } });
    expect((await settingsOf('', { images })).env).toEqual(['X=1', `PATH=${DEFAULT_PATH}`]);
    const other = new FakeImages({ 'base:1': { env: ['PATH=/own', 'X=1'] } });
    expect((await settingsOf('', { images: other })).env).toEqual(['PATH=/own', 'X=1']);
  });

  it('replace an ENV where it stands and append new ones', async () => {
    const images = new FakeImages({ 'base:1': { env: ['A=1', 'PATH=/p', 'B=2'] } });
    const lines = 'ENV B=3 C=4\nENV A=$B$C D=$D';
    expect((await settingsOf(lines, { images })).env).toEqual(['A=34', 'PATH=/p', 'B=3', 'C=4', 'D=']);
  });

  it('expand all pairs of one ENV with the values from before', async () => {
    expect((await settingsOf('ENV A=old\nENV A=new B=$A')).env).toContain('B=old');
  });

  it('merge labels, ports and volumes', async () => {
    const images = new FakeImages({
      'base:1': { labels: new Map([['a', '1'], ['b', '2']]), exposedPorts: ['80/tcp'], volumes: ['/v'] }, // biome-ignore format: a table
    });
    const settings = await settingsOf('LABEL b=3 c=4\nEXPOSE 80 81/udp\nVOLUME /v /w', { images });
    expect([...settings.labels]).toEqual([
      ['a', '1'],
      ['b', '3'],
      ['c', '4'],
    ]);
    expect(settings.exposedPorts).toEqual(['80/tcp', '81/udp']);
    expect(settings.volumes).toEqual(['/v', '/w']);
  });

  it('survive label names that mean something to JavaScript', async () => {
    const { labels } = await settingsOf('LABEL __proto__=a constructor=b');
    expect([...labels.keys()]).toEqual(['__proto__', 'constructor']);
  });

  it.each([
    ['an inherited CMD is dropped by ENTRYPOINT', 'ENTRYPOINT ["e"]', undefined],
    ['a CMD before ENTRYPOINT is kept', 'CMD ["c"]\nENTRYPOINT ["e"]', ['c']],
    ['a CMD between two is kept', 'ENTRYPOINT ["d"]\nCMD ["c"]\nENTRYPOINT ["e"]', ['c']],
    ['without ENTRYPOINT it is inherited', 'ENV A=1', ['inherited']],
  ])('%s', async (_, lines, cmd) => {
    const images = new FakeImages({ 'base:1': { cmd: ['inherited'] } });
    expect((await settingsOf(lines, { images })).cmd).toEqual(cmd);
  });

  it('drop the CMD of a base stage at ENTRYPOINT', async () => {
    const text = 'FROM base:1 AS a\nCMD ["x"]\nFROM a\nENTRYPOINT ["y"]\n';
    expect((await targetOf(text)).image.settings.cmd).toBeUndefined();
  });

  it('chain WORKDIRs, from the base on', async () => {
    const images = new FakeImages({ 'base:1': { workingDir: '/srv/app/' } });
    expect((await settingsOf('', { images })).workingDir).toBe('/srv/app/');
    expect((await settingsOf('WORKDIR x\nWORKDIR ../y', { images })).workingDir).toBe('/srv/app/y');
    expect((await settingsOf('WORKDIR ../../../../..', { images })).workingDir).toBe('/');
    expect((await settingsOf('WORKDIR rel')).workingDir).toBe('/rel');
  });

  it('use SHELL for CMD, ENTRYPOINT and RUN in shell form', async () => {
    const { cmd, entrypoint } = await settingsOf('SHELL ["/bin/b", "-ec"]\nCMD a b\nENTRYPOINT c');
    expect(cmd).toEqual(['/bin/b', '-ec', 'a b']);
    expect(entrypoint).toEqual(['/bin/b', '-ec', 'c']);
    expect((await runOf('SHELL ["/bin/b", "-ec"]\nRUN x')).args).toEqual(['/bin/b', '-ec', 'x']);
  });

  it('keep ONBUILD as text', async () => {
    expect((await settingsOf('ONBUILD RUN echo "$A"\nONBUILD COPY --from=0 a b')).onBuild).toEqual([
      'RUN echo "$A"',
      'COPY --from=0 a b',
    ]);
  });
});

describe('variables', () => {
  const globals = 'ARG G=glob\nARG H\n';

  it.each([
    ['a global ARG is not seen until it is declared', `${globals}FROM base:1\nENV R=[$G]`, '[]'],
    ['declared without a value it takes the global one', `${globals}FROM base:1\nARG G\nENV R=$G`, 'glob'],
    ["a stage's own default wins over the global one", `${globals}FROM base:1\nARG G=own\nENV R=$G`, 'own'],
    ['a build argument wins over both', `${globals}FROM base:1\nARG H=own\nENV R=$H`, 'given'],
    ['an ARG after ENV wins', 'FROM base:1\nENV H=env\nARG H\nENV R=$H', 'given'],
    ['an ENV after ARG wins', 'FROM base:1\nARG H\nENV H=env\nENV R=$H', 'env'],
    ['an ARG without any value leaves ENV alone', 'FROM base:1\nENV Q=env\nARG Q\nENV R=$Q', 'env'],
    ['one ARG line is read left to right', 'FROM base:1\nARG A=1 B=$A\nENV R=$B', '1'],
    ['what came out is not expanded again', "FROM base:1\nARG A='$H'\nENV R=$A", '$H'],
    ['ARGs are inherited from a base stage', 'FROM base:1 AS a\nARG H\nFROM a\nENV R=$H', 'given'],
    [
      "a base stage's ENV wins over its ARG of that name",
      'FROM base:1 AS a\nENV H=env\nARG H\nFROM a\nENV R=$H',
      'env',
    ],
    ['not inherited from another stage', 'FROM base:1 AS a\nARG H\nFROM base:1\nENV R=[$H]', '[]'],
    [
      'platform',
      'FROM base:1\nARG TARGETPLATFORM TARGETARCH BUILDOS\nENV R=$TARGETPLATFORM,$TARGETARCH,$BUILDOS',
      'linux/amd64,amd64,linux',
    ],
    ['TARGETSTAGE', 'FROM base:1 AS last\nARG TARGETSTAGE\nENV R=$TARGETSTAGE', 'last'],
    ['names of Object.prototype', 'FROM base:1\nARG __proto__=p\nENV R=$__proto__[$constructor]', 'p[]'],
  ])('%s', async (_, text, expected) => {
    const { image } = await targetOf(`${text}\n`, { buildArgs: new Map([['H', 'given']]) });
    expect(image.settings.env.find((entry) => entry.startsWith('R='))).toBe(`R=${expected}`);
  });

  it('give RUN its environment, the last set last', async () => {
    const run = await runOf('ENV A=1 B=2\nARG C=3\nENV A=4\nRUN x');
    expect(run.env).toEqual([`PATH=${DEFAULT_PATH}`, 'B=2', 'C=3', 'A=4']);
  });

  it('give RUN proxies beside its environment', async () => {
    const run = await runOf('RUN x', { buildArgs: new Map([['HTTP_PROXY', 'http://p'], ['FOO', 'undeclared']]) }); // biome-ignore format: short
    expect(run.proxyEnv).toContain('HTTP_PROXY=http://p');
    expect(run.env.join(' ')).not.toMatch(/PROXY|FOO/);
  });

  it('report a variable that nothing sets', async () => {
    const unset: string[] = [];
    await targetOf('FROM base:1\nARG SET\nENV A=$UNSET${SET}$PATH\nRUN echo $NOT_OURS\n', {
      onWarning: ({ rule, message }) => unset.push(`${rule} ${message}`),
    });
    expect(unset.filter((warning) => warning.startsWith('UndefinedVar'))).toEqual([expect.stringContaining('$UNSET')]);
  });
});

describe('operations', () => {
  it('resolve destinations against the working directory', async () => {
    const dests = await Promise.all(
      ['.', './', 'x', 'x/', '/abs', '/abs/', '/', '../up', '/a/./b/..//c/.'].map(
        async (dest) => (await copyOf(`WORKDIR /w\nCOPY a ${dest}`)).dest,
      ),
    );
    expect(dests).toEqual(['/w/', '/w/', '/w/x', '/w/x/', '/abs', '/abs/', '/', '/up', '/a/c/']);
  });

  it('are independent of the image with --link, but not when --chmod is given too', async () => {
    expect((await copyOf('COPY --link a /')).link).toBe(true);
    expect((await copyOf('COPY --link --chmod=600 a /')).link).toBe(false);
  });

  it('pivot --parents at /./', async () => {
    const { transfers } = await copyOf('COPY --parents a/./b/c ./x/*/y /d/');
    expect(transfers).toMatchObject([
      { path: '/a', include: ['b/c'], required: '/a/b/c', wildcards: false },
      { path: '/', include: ['x/*/y'], required: undefined, wildcards: false },
    ]);
  });

  it('expand variables in sources, destinations and flags', async () => {
    const operation = await copyOf('ENV S=src D=/dst M=640 O=1:2\nCOPY --chown=$O --chmod=$M $S/f ${D}/');
    expect(operation).toMatchObject({ dest: '/dst/', chown: '1:2', chmod: '640', transfers: [{ path: '/src/f' }] });
  });

  it('unpack only what ADD takes from the context', async () => {
    expect((await copyOf('COPY a.tar /')).transfers[0]?.unpack).toBe(false);
    expect((await copyOf('ADD a.tar /')).transfers[0]?.unpack).toBe(true);
    expect((await copyOf('ADD --unpack=false a.tar /')).transfers[0]?.unpack).toBe(false);
  });

  it('make a WORKDIR as the user in force, none for the root', async () => {
    const { steps } = await targetOf('FROM base:1\nWORKDIR /\nUSER app\nWORKDIR /w\n');
    expect(steps.map(({ operation }) => operation)).toEqual([{ kind: 'workdir', path: '/w', user: 'app' }]);
  });

  it('let RUN --network win over the request', async () => {
    expect((await runOf('RUN --network=none x', { network: 'host' })).network).toBe('none');
    expect((await runOf('RUN x', { network: 'host' })).network).toBe('host');
    expect((await runOf('RUN --network=default x', { network: 'host' })).network).toBe('host');
  });

  it('mount a heredoc script', async () => {
    const run = await runOf('RUN <<EOF\n#!/bin/sh\necho $A\nEOF');
    expect(run.script).toEqual({ path: '/dev/pipes/EOF', content: '#!/bin/sh\necho $A\n' });
  });
});
