import {
  expandInstruction,
  type Instruction,
  parseDockerfile,
  runScript,
  type VariableLookup,
} from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DockerfileWriter } from '../dockerfile-writer.ts';
import { copyContextLine } from './copy-lines.ts';
import { expand } from './dockerfile-text.ts';

const invalid = expect.objectContaining({ code: 'INSTRUCTION_INVALID' });
const unset = (): undefined => undefined;

/** The one instruction between two others: nothing leaks out of its line, before or behind. */
function written(write: (writer: DockerfileWriter) => unknown, lookup: VariableLookup = unset): Instruction {
  const writer = new DockerfileWriter().addLine('FROM scratch').addLine('STOPSIGNAL 1');
  write(writer);
  const { stages } = parseDockerfile(writer.addLine('STOPSIGNAL 2').dockerfile);
  const [before, instruction, after, ...more] = stages[0]?.instructions ?? [];
  expect([before?.original, after?.original, more.length, stages.length]).toEqual([
    'STOPSIGNAL 1',
    'STOPSIGNAL 2',
    0,
    1,
  ]);
  if (instruction === undefined) throw new Error('no instruction');
  return expandInstruction(instruction, lookup);
}

/** Refused, or written: then with this meaning. */
function refusedOr(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof BoxwrightError) || error.code !== 'INSTRUCTION_INVALID') throw error;
  }
}

const nasty = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from('ab \t\n\r\\"\'$`{}[](),<>=-#*?&;:/.@|\u00a0é')), maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('${', '$(', '<<EOF', '["a"]', '--mount=x', 'a\\', '#', '# escape=`', '[', '-', '--', '.', '${a:?b}'),
);
/** What every instruction can hold. */
const oneLine = nasty.filter((text) => !/[\n\r\0]/.test(text) && text.isWellFormed() && text.trim() !== '');

describe('typed instructions', () => {
  it('keep any value of ENV and LABEL', () => {
    fc.assert(
      fc.property(nasty, nasty, (a, b) => {
        refusedOr(() => {
          const env = written((writer) => writer.env({ A: a, B_2: b }));
          expect(env).toMatchObject({
            kind: 'env',
            pairs: [
              { key: 'A', value: a },
              { key: 'B_2', value: b },
            ],
          });
        });
        refusedOr(() => {
          const label = written((writer) => writer.label('org.x-y/z', a));
          expect(label).toMatchObject({ kind: 'label', pairs: [{ key: 'org.x-y/z', value: a }] });
        });
      }),
      { numRuns: 300 },
    );
  });

  it('refuse only what no instruction can hold', () => {
    fc.assert(
      fc.property(oneLine, (text) => {
        expect(written((writer) => writer.env('A', text))).toMatchObject({ pairs: [{ value: text }] });
        expect(written((writer) => writer.workdir(text))).toMatchObject({ path: text });
        expect(written((writer) => writer.arg('A', text))).toMatchObject({ args: [{ key: 'A', value: text }] });
        const copy = written((writer) => writer.copyFrom('build', 'x', text, { chown: text }));
        expect(copy).toMatchObject({ kind: 'copy', from: 'build', sources: ['x'], dest: text, chown: text });
        const mount = { type: 'cache', target: text, id: text } as const;
        expect(written((writer) => writer.run('make', { mounts: [mount] }))).toMatchObject({ mounts: [mount] });
      }),
      { numRuns: 300 },
    );
  });

  it('keep any argument of the exec form', () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 4 }), (args) => {
        refusedOr(() => expect(written((w) => w.run(args))).toMatchObject({ form: 'exec', args }));
        refusedOr(() => expect(written((w) => w.cmd(args))).toMatchObject({ form: 'exec', args }));
        refusedOr(() => expect(written((w) => w.entrypoint(args))).toMatchObject({ form: 'exec', args }));
        refusedOr(() => expect(written((w) => w.healthcheck(args))).toMatchObject({ test: ['CMD', ...args] }));
      }),
      { numRuns: 300 },
    );
  });

  it('keep any script of RUN, on one line or several', () => {
    fc.assert(
      fc.property(nasty, (script) => {
        refusedOr(() => {
          const run = written((writer) => writer.run(script, { network: 'none' }));
          if (run.kind !== 'run') throw new Error(run.kind);
          const meant = runScript(run);
          const text = meant.kind === 'shell' ? meant.text : meant.kind === 'file' ? meant.content : '';
          const trim = (value: string): string => value.replace(/^[ \t]+|[ \t\r\n]+$/g, '');
          expect(trim(text)).toBe(trim(script));
          expect(run.network).toBe('none');
        });
      }),
      { numRuns: 500 },
    );
  });

  it('keep the string form of CMD, or refuse it', () => {
    fc.assert(
      fc.property(nasty, (command) => {
        refusedOr(() => {
          expect(written((w) => w.cmd(command))).toMatchObject({ form: 'shell', command: command.trim() });
        });
        refusedOr(() => {
          expect(written((w) => w.healthcheck(command))).toMatchObject({ test: ['CMD-SHELL', command.trim()] });
        });
      }),
      { numRuns: 300 },
    );
  });

  it('write nothing invalid, whatever they are given', () => {
    fc.assert(
      fc.property(nasty, nasty, fc.integer(), (a, b, n) => {
        const writes: ((writer: DockerfileWriter) => unknown)[] = [
          (w) => w.env(a, b),
          (w) => w.env('A', expand(a)),
          (w) => w.label(a, expand(b)),
          (w) => w.arg(a, b),
          (w) => w.workdir(expand(a)),
          (w) => w.user(a, b),
          (w) => w.user(n),
          (w) => w.expose(a),
          (w) => w.expose(n),
          (w) => w.volume(a, expand(b)),
          (w) => w.shell([a, b]),
          (w) => w.healthcheck(['x'], { interval: a, retries: n }),
          (w) => w.copyFrom(a, [b], '/x/'),
          (w) => w.copyFrom('s', [a, b], expand(a), { chmod: b, exclude: [a], parents: true }),
          (w) => w.run('x', { mounts: [{ type: 'secret', id: a, env: b, mode: n }] }),
          (w) => w.run('x', { mounts: [{ type: 'bind', target: expand(a), from: b }] }),
          (w) => w.addLine(copyContextLine(a, b)),
          (w) => w.addLine(copyContextLine(a, b, {}, true)),
        ];
        for (const write of writes) refusedOr(() => written(write, () => 'x'));
        refusedOr(() => {
          const { dockerfile } = new DockerfileWriter().from(a, { as: b });
          expect(parseDockerfile(dockerfile).stages).toHaveLength(1);
        });
      }),
      { numRuns: 150 },
    );
  });
});

describe('lines', () => {
  it.each<[string, (writer: DockerfileWriter) => unknown]>([
    [
      'FROM --platform=$BUILDPLATFORM golang:1.25 AS build',
      (w) => w.from('golang:1.25', { as: 'build', platform: '$BUILDPLATFORM' }),
    ],
    ['ENV A=1 B="two words" C=""', (w) => w.env({ A: '1', B: 'two words', C: '' })],
    ['ENV PATH=/app/bin:$PATH', (w) => w.env('PATH', expand('/app/bin:$PATH'))],
    ['ENV X="a b $Y"', (w) => w.env([['X', expand('a b $Y')]])],
    ['ENV PRICE="\\$5"', (w) => w.env('PRICE', '$5')],
    ['LABEL org.opencontainers.image.title="My app"', (w) => w.label('org.opencontainers.image.title', 'My app')],
    ['ARG VERSION', (w) => w.arg('VERSION')],
    ['ARG VERSION=1.2', (w) => w.arg('VERSION', '1.2')],
    ['WORKDIR /app', (w) => w.workdir('/app')],
    ['WORKDIR "/my app"', (w) => w.workdir('/my app')],
    ['USER app:staff', (w) => w.user('app:staff')],
    ['USER 1000:1000', (w) => w.user(1000, 1000)],
    ['USER ${UID}:${GID}', (w) => w.user(expand('${UID}:${GID}'))],
    ['EXPOSE 8080 53/udp 8000-8010', (w) => w.expose(8080, '53/udp', '8000-8010')],
    ['VOLUME ["/data"]', (w) => w.volume('/data')],
    ['STOPSIGNAL SIGINT', (w) => w.stopSignal('SIGINT')],
    ['SHELL ["/bin/bash", "-c"]', (w) => w.shell(['/bin/bash', '-c'])],
    ['CMD ["node", "main.js"]', (w) => w.cmd(['node', 'main.js'])],
    ['CMD node main.js', (w) => w.cmd('node main.js')],
    ['ENTRYPOINT []', (w) => w.entrypoint([])],
    ['HEALTHCHECK NONE', (w) => w.healthcheck(null)],
    [
      'HEALTHCHECK --interval=30000ms --timeout=3s --retries=2 CMD curl -f localhost',
      (w) => w.healthcheck('curl -f localhost', { interval: 30_000, timeout: '3s', retries: 2 }),
    ],
    [
      'COPY --from=build --chown=app --chmod=755 --link /out/app /app',
      (w) => w.copyFrom('build', '/out/app', '/app', { chown: 'app', chmod: '755', link: true }),
    ],
    ['COPY --from=build ["a b", "/x y/"]', (w) => w.copyFrom('build', 'a b', '/x y/')],
    ['RUN ["apt-get", "update"]', (w) => w.run(['apt-get', 'update'])],
    ['RUN make && make install', (w) => w.run('make && make install')],
    ['RUN <<EOF\nset -e\nmake\nEOF', (w) => w.run('set -e\nmake\n')],
    ['RUN <<EOF\n["not", "exec"]\nEOF', (w) => w.run('["not", "exec"]')],
    [
      'RUN --mount=type=cache,target=/root/.cache,sharing=locked --mount=type=secret,id=token,required=true pip install .',
      (w) =>
        w.run('pip install .', {
          mounts: [
            { type: 'cache', target: '/root/.cache', sharing: 'locked' },
            { type: 'secret', id: 'token', required: true },
          ],
        }),
    ],
  ])('%s', (line, write) => {
    const writer = new DockerfileWriter();
    write(writer);
    expect(writer.dockerfileLines).toEqual([line]);
  });

  it.each<[string, (writer: DockerfileWriter) => unknown]>([
    ['a line break in ENV', (w) => w.env('A', 'a\nb')],
    ['a name with =', (w) => w.env('A=B', 'c')],
    ['no names', (w) => w.env({})],
    ['a port beyond all', (w) => w.expose(70000)],
    ['no port', (w) => w.expose()],
    ['no command', (w) => w.run([])],
    ['an empty command', (w) => w.run(' \n ')],
    ['a command for the shell that is a list', (w) => w.cmd('["a"]')],
    ['an unknown mode', (w) => w.copyFrom('x', 'a', '/b', { chmod: '999' })],
    ['a duration without unit', (w) => w.healthcheck(['x'], { interval: '30' })],
    ['a variable in --from', (w) => w.copyFrom('$X', 'a', '/b')],
    ['several sources and no directory', (w) => w.copyFrom('x', ['a', 'b'], '/c')],
    ['a stage name with a blank', (w) => w.from('x', { as: 'a b' })],
    ['a base image with a line break', (w) => w.from('x\nRUN y')],
    ['an unterminated variable', (w) => w.workdir(expand('${A'))],
    ['half of a character', (w) => w.label('a', '\ud800')],
    ['a group of nobody', (w) => w.user(-1)],
    ['a mount without id', (w) => w.run('x', { mounts: [{ type: 'secret', id: '' }] })],
  ])('refuses %s', (_, write) => {
    const writer = new DockerfileWriter();
    expect(() => write(writer)).toThrowError(invalid);
    expect(writer.dockerfileLines).toEqual([]);
  });
});
