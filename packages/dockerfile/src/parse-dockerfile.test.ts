import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DockerfileError } from './dockerfile-error.ts';
import type { Instruction } from './instructions.ts';
import { parseDockerfile, parseTrigger } from './parse-dockerfile.ts';
import { runScript } from './parse-run.ts';

/** The one instruction after `FROM x`. */
function one(text: string, head = ''): Instruction {
  const { stages } = parseDockerfile(`${head}FROM x\n${text}`);
  const instructions = stages[0]?.instructions ?? [];
  const first = instructions[0];
  if (first === undefined || instructions.length !== 1) throw new Error(`${instructions.length} instructions`);
  return first;
}

function errorOf(text: string): DockerfileError {
  try {
    parseDockerfile(text);
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('file', () => {
  it.each([
    ['', 'DOCKERFILE_EMPTY', 'the Dockerfile cannot be empty'],
    ['\n \n', 'DOCKERFILE_EMPTY', 'file with no instructions'],
    ['# only\n', 'DOCKERFILE_EMPTY', 'file with no instructions'],
    ['ARG x=1\n', 'DOCKERFILE_EMPTY', 'dockerfile contains no stages to build'],
    ['ENV a=1\nFROM x', 'DOCKERFILE_SYNTAX', 'no build stage in current context'],
  ])('refuses %j', (text, code, reason) => {
    expect(errorOf(text)).toMatchObject({ code, reason });
  });

  it('keeps stages, global arguments and places', () => {
    const dockerfile = parseDockerfile('ARG v=1\n\n  FROM a:$v AS One\nENV x=1 \\\n  y=2\n\nFROM b\nuser me', {
      file: 'sub/Dockerfile',
    });
    expect(dockerfile.file).toBe('sub/Dockerfile');
    expect(dockerfile.metaArgs).toMatchObject([{ kind: 'arg', args: [{ key: 'v', value: '1' }] }]);
    expect(dockerfile.stages).toMatchObject([
      { index: 0, name: 'one', from: { image: 'a:$v', as: 'One', original: 'FROM a:$v AS One' } },
      { index: 1, from: { image: 'b' } },
    ]);
    expect(dockerfile.stages[1]).not.toHaveProperty('name');
    expect(dockerfile.stages[0]?.from.range).toEqual({ start: { line: 3, column: 3 }, end: { line: 3, column: 19 } });
    expect(dockerfile.stages[0]?.instructions).toMatchObject([
      {
        kind: 'env',
        name: 'ENV',
        original: 'ENV x=1 \\\n  y=2',
        range: { start: { line: 4, column: 1 }, end: { line: 5, column: 6 } },
      },
    ]);
    expect(dockerfile.stages[1]?.instructions).toMatchObject([{ kind: 'user', name: 'USER', user: 'me' }]);
  });

  it('reads a byte order mark, CRLF and bytes', () => {
    const bytes = Buffer.from('\ufeffFROM x\r\nENV a=1 \\\r\n b=2\r\n');
    expect(parseDockerfile(bytes).stages[0]?.instructions).toMatchObject([
      {
        pairs: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
        original: 'ENV a=1 \\\r\n b=2',
      },
    ]);
    expect(parseDockerfile(bytes.toString()).text.startsWith('FROM')).toBe(true);
  });

  it('accepts bytes that are not UTF-8 in comments only', () => {
    const parts = (comment: string, value: string): Buffer =>
      Buffer.from(`# ${comment}\nFROM x\nENV a=${value}\n`, 'latin1');
    expect(parseDockerfile(parts('\xe9', 'b')).stages).toHaveLength(1);
    expect(() => parseDockerfile(parts('c', '\xe9'))).toThrow(/not valid UTF-8/);
    expect(parseDockerfile('FROM x\nENV a=\ufffd').stages).toHaveLength(1);
  });

  it('bounds sizes', () => {
    expect(errorOf(`FROM x\nENV a=${'b'.repeat(1024 * 1024)}`).code).toBe('DOCKERFILE_TOO_LARGE');
    expect(errorOf(`FROM x\nRUN <<E\n${'b'.repeat(1024 * 1024 + 1)}\nE`).code).toBe('DOCKERFILE_TOO_LARGE');
    expect(errorOf(`FROM x\n${'#\n'.repeat(9 * 1024 * 1024)}`).code).toBe('DOCKERFILE_TOO_LARGE');
    expect(errorOf('FROM x\n'.repeat(10_001)).code).toBe('DOCKERFILE_TOO_LARGE');
    expect(errorOf(`FROM x\n${'ONBUILD '.repeat(100_000)}RUN a`).code).toBe('DOCKERFILE_SYNTAX');
  });

  it('parses 20 000 lines quickly', () => {
    const text = `FROM x\n${'RUN --mount=type=cache,target=/r echo $x && \\\n  ls # c\nENV a=1 b="x y"\nCOPY a b c/* /d/\n'.repeat(5000)}`;
    const started = performance.now();
    expect(parseDockerfile(text).stages[0]?.instructions).toHaveLength(15_000);
    // 100 to 200 ms when the machine is idle; the bound only catches quadratic work.
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('directives', () => {
  it.each([
    ['# escape=`\nFROM x\nENV a=1 `\n b=2', { escape: '`' }, 2],
    ['# ESCAPE = `  \nFROM x\nENV a=1 `\n b=2', { escape: '`' }, 2],
    [
      '#syntax=docker/dockerfile:1 x\n#escape=`\n# check=skip=all\nFROM x',
      { escape: '`', syntax: 'docker/dockerfile:1 x', check: 'skip=all' },
      0,
    ],
    ['# escape=\\\nFROM x\nENV a=1 \\\n b=2', { escape: '\\' }, 2],
    ['  # escape=`\nFROM x', { escape: '`' }, 0],
    // What is no directive ends them.
    ['# foo=bar\n# escape=`\nFROM x', { escape: '\\' }, 0],
    ['# comment\n# escape=`\nFROM x', { escape: '\\' }, 0],
    ['\n# escape=`\nFROM x', { escape: '\\' }, 0],
    ['FROM x\n# escape=`\n', { escape: '\\' }, 0],
    ['# syntax=\n# escape=`\nFROM x', { escape: '\\' }, 0],
  ])('%j', (text, directives, pairs) => {
    const parsed = parseDockerfile(text);
    expect(parsed.directives).toEqual(directives);
    const env = parsed.stages[0]?.instructions[0];
    expect(env?.kind === 'env' ? env.pairs.length : 0).toBe(pairs);
  });

  it.each([
    ['# escape=x\nFROM x', 1],
    ['# escape=``\nFROM x', 1],
    ['# escape=`\n# escape=`\nFROM x', 2],
    ['# syntax=a\n# check=skip=all\n#syntax=a\nFROM x', 3],
  ])('refuses %j', (text, line) => {
    const error = errorOf(text);
    expect(error.code).toBe('DOCKERFILE_SYNTAX');
    expect(error.range.start.line).toBe(line);
  });

  it('refuses unknown check options', () => {
    expect(errorOf('# check=x\nFROM x').reason).toContain('"x"');
    expect(errorOf('# check=error=maybe\nFROM x').reason).toContain('maybe');
    expect(parseDockerfile('# check=x\nFROM x', { check: '' }).stages).toHaveLength(1);
  });
});

describe('continuation lines', () => {
  /** Text after ENV, and the pairs; checked against Docker Engine 28.5. */
  it.each([
    ['a=1 \\\n  b=2', ['a=1', 'b=2']],
    ['a=1 \\\n# comment\n   # indented \\\n\n  \n  b=2', ['a=1', 'b=2']],
    ['a=1 \\   \t\n b=2', ['a=1', 'b=2']],
    ['a=1 \\', ['a=1']],
    ['a=1 \\\n', ['a=1']],
    ['a=b\\\nc', ['a=bc']],
    ['\\\n\\\na=1', ['a=1']],
    ['a="x \\\n y"', ['a="x  y"']],
    ["a='x \\\n y'", ["a='x  y'"]],
    ['a=1 \\ \r\n b=2', ['a=1', 'b=2']],
  ])('%j', (text, expected) => {
    const env = one(`ENV ${text}`);
    expect(env.kind === 'env' && env.pairs.map(({ key, value }) => `${key}=${value}`)).toEqual(expected);
  });

  it.each([['a=1\\\\\nENV c=2'], ['a=1\\\\\\\nENV c=2']])('does not continue %j', (text) => {
    expect(parseDockerfile(`FROM x\nENV ${text}`).stages[0]?.instructions).toHaveLength(2);
  });

  it('starts an instruction on a line of its own', () => {
    expect(one('\\\nENV a=1')).toMatchObject({ kind: 'env', pairs: [{ key: 'a', value: '1' }] });
  });

  it('warns about empty lines inside', () => {
    expect(parseDockerfile('FROM x\nRUN a \\\n\n b\n').warnings).toMatchObject([
      { rule: 'NoEmptyContinuation', range: { start: { line: 3 } } },
    ]);
    expect(parseDockerfile('FROM x\nRUN a \\\n# c\n b\n').warnings).toEqual([]);
  });

  it('joins commands as the history shows them', () => {
    const run = one('RUN true \\\n   && true  \\\n# c\n\n\ttrue');
    expect(run).toMatchObject({ form: 'shell', command: 'true    && true  \ttrue' });
  });
});

describe('heredocs', () => {
  const scripts: [string, string][] = [
    ['<<EOF\ntrue\n  true\nEOF', 'true\n  true\n'],
    ['<<-EOF\n\ttrue\n\t\ttrue\n\tEOF', 'true\ntrue\n'],
    ['<<"EOF"\necho $x\nEOF', 'echo $x\n'],
    ["<<'E F'\necho\nE F", 'echo\n'],
    ['<<E"O"F\ntrue\nEOF', 'true\n'],
    ['<<\\EOF\necho $x\nEOF', 'echo $x\n'],
    ['<<$x\ntrue\n$x', 'true\n'],
    ['<< EOF\ntrue\nEOF', 'true\n'],
    ['<<\\\nEOF\ntrue\nEOF', 'true\n'],
    ['0<<EOF\ntrue\nEOF', 'true\n'],
    ['<<EOF\n\nEOF', '\n'],
    ['<<EOF\nEOF', ''],
    ['<<EOF\r\ntrue\r\nEOF\r\n', 'true\r\n'],
    ['<<EOF\na \\\n# c\n\nb\nEOF', 'a \\\n# c\n\nb\n'],
    ['cat <<EOF >/x\nhi $HOME\nEOF', 'cat <<EOF >/x\nhi $HOME\nEOF'],
    ['cat <<A - 3<<B <&3\na\nA\nb\nB', 'cat <<A - 3<<B <&3\na\nA\nb\nB'],
    ['cat << A << B\na\nA\nb\nB', 'cat << A << B\na\nA\nb\nB'],
    ['sh <<-EOF\n\ttrue\n\tEOF', 'sh <<-EOF\n\ttrue\nEOF'],
    ['true \\\n <<EOF\ntrue\nEOF', 'true  <<EOF\ntrue\nEOF'],
    ["echo 'a <<EOF'", "echo 'a <<EOF'"],
    ['echo "a <<EOF"', 'echo "a <<EOF"'],
    ['echo $((1<<3))', 'echo $((1<<3))'],
    ['cat <<<EOF', 'cat <<<EOF'],
    ['true <<A<<B', 'true <<A<<B'],
    ['cat <<', 'cat <<'],
    ['cat <<-', 'cat <<-'],
    ["echo it's <<EOF", "echo it's <<EOF"],
  ];
  it.each(scripts)('RUN %j runs %j', (text, expected) => {
    const run = one(`RUN ${text}`);
    expect(run.kind === 'run' && runScript(run)).toEqual({ kind: 'shell', text: expected });
  });

  it('makes a file of a script with an interpreter', () => {
    const run = one('RUN <<-go\n\t#!/bin/sh\n\techo\n\tgo');
    expect(run.kind === 'run' && runScript(run)).toEqual({
      kind: 'file',
      path: '/dev/pipes/go',
      name: 'go',
      content: '#!/bin/sh\necho\n',
    });
  });

  it('knows which heredocs are expanded', () => {
    const copy = one('COPY <<a <<"b" <<-\'c\' d /e/\n1\na\n2\nb\n\t3\n\tc\n');
    expect(copy).toMatchObject({
      sources: ['d'],
      dest: '/e/',
      inline: [
        { name: 'a', content: '1\n', expand: true },
        { name: 'b', content: '2\n', expand: false },
        { name: 'c', content: '3\n', expand: false },
      ],
    });
    expect(copy.range.end).toEqual({ line: 8, column: 3 });
  });

  it('takes the last body of two with one name', () => {
    expect(one('COPY <<a <<a /d/\n1\na\n2\na')).toMatchObject({ inline: [{ content: '2\n' }, { content: '2\n' }] });
  });

  it('belongs to RUN, COPY and ADD only, not to JSON', () => {
    expect(one('ENV a=<<EOF')).toMatchObject({ pairs: [{ key: 'a', value: '<<EOF' }] });
    expect(one('RUN ["a", "<<EOF"]')).toMatchObject({ form: 'exec', heredocs: [] });
    expect(one('ADD <<EOF /x\na\nEOF')).toMatchObject({ inline: [{ name: 'EOF' }] });
  });

  it.each([
    ['RUN <<EOF\ntrue', 'EOF'],
    ['RUN <<EOF\ntrue\n EOF\n', 'EOF'],
    ['RUN <<-EOF\ntrue\n EOF\n', 'EOF'],
    ['RUN echo $((1 <<3))\n3', '3))'],
    ['COPY <<A <<B /x\nA\n', 'B'],
  ])('refuses %j', (text, name) => {
    const error = errorOf(`FROM x\n${text}`);
    expect(error).toMatchObject({ code: 'DOCKERFILE_SYNTAX', reason: 'unterminated heredoc' });
    expect(error.hint).toContain(name);
    expect(error.range.start.line).toBe(2);
  });

  it('is kept with a trigger', () => {
    expect(one('ONBUILD RUN <<EOF\nx\nEOF')).toMatchObject({
      text: 'RUN <<EOF\nx\nEOF',
      instruction: { kind: 'run', command: '<<EOF', heredocs: [{ content: 'x\n' }] },
    });
  });
});

describe('parseTrigger', () => {
  it('reads what a config holds', () => {
    expect(parseTrigger('COPY --from=a <<E /x\n1\nE', 'ONBUILD of a')).toMatchObject({
      kind: 'copy',
      from: 'a',
      inline: [{ content: '1\n' }],
    });
  });

  it.each(['', 'FROM x', 'ONBUILD RUN a', 'MAINTAINER a', 'RUN a\nRUN b', 'RNU a', 'COPY a'])('refuses %j', (text) => {
    expect(() => parseTrigger(text, 'ONBUILD of a')).toThrow(DockerfileError);
  });
});

describe('errors', () => {
  it.each([
    ['RNU echo hi', 'DOCKERFILE_UNKNOWN_INSTRUCTION', [1, 4], 'unknown instruction: RNU (did you mean RUN?)'],
    ['\tCOPPY a /b', 'DOCKERFILE_UNKNOWN_INSTRUCTION', [2, 7], 'unknown instruction: COPPY (did you mean COPY?)'],
    ['banana', 'DOCKERFILE_UNKNOWN_INSTRUCTION', [1, 7], 'unknown instruction: banana'],
    ['constructor x', 'DOCKERFILE_UNKNOWN_INSTRUCTION', [1, 12], 'unknown instruction: constructor'],
    ['COPY --fron=x a /b', 'DOCKERFILE_UNKNOWN_FLAG', [6, 14], 'unknown flag: --fron (did you mean --from?)'],
    ['COPY --link --link a /b', 'DOCKERFILE_SYNTAX', [13, 19], 'flag --link is given twice'],
    ['COPY --constructor a /b', 'DOCKERFILE_UNKNOWN_FLAG', [6, 19], 'unknown flag: --constructor'],
    ['ENV a=1 b', 'DOCKERFILE_SYNTAX', [9, 10], '"b" is not of the form NAME=VALUE'],
    ['COPY a <<EOF\nx\nEOF', 'DOCKERFILE_SYNTAX', [8, 13], 'the destination of COPY cannot be a heredoc'],
  ])('%j', (text, code, columns, reason) => {
    const error = errorOf(`FROM x\n${text}`);
    expect(error).toMatchObject({ code, reason, file: 'Dockerfile' });
    expect([error.range.start.column, error.range.end.column]).toEqual(columns);
    expect(error.range.start.line).toBe(2);
    expect(error.message).toBe(`Dockerfile:2:${columns[0]}: ${reason}`);
  });

  it('finds the place on a continuation line', () => {
    expect(errorOf('FROM x\nCOPY \\\n  # c\n  --foo=1 \\\n  a b').range).toEqual({
      start: { line: 4, column: 3 },
      end: { line: 4, column: 10 },
    });
    expect(errorOf('FROM x\nENV a=1 \\\n  =2').range.start).toEqual({ line: 3, column: 3 });
  });

  it('throws nothing but DockerfileError', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'FROM x\n',
        'RUN ',
        'COPY ',
        'ENV ',
        'ARG ',
        'ONBUILD ',
        'HEALTHCHECK ',
        'EXPOSE ',
        'LABEL ',
        'CMD ',
      ),
      fc.constantFrom(
        '--',
        '--mount=',
        '--from=',
        '--link',
        'type=cache',
        ',',
        '=',
        '<<',
        '<<-',
        'EOF',
        '\n',
        '\\\n',
        '# escape=`\n',
      ),
      fc.constantFrom(
        '"',
        "'",
        '\\',
        '$',
        '{',
        '}',
        '[',
        ']',
        ' ',
        '\t',
        '\r',
        'a',
        'NONE',
        'CMD',
        '\u00a0',
        '\ufeff',
        '中',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const text = `FROM x\n${pieces.join('')}`;
        try {
          const { stages } = parseDockerfile(text);
          for (const { range, original } of stages.flatMap((stage) => stage.instructions)) {
            const lines = text.split('\n').slice(range.start.line - 1, range.end.line);
            expect(lines.join('\n').slice(range.start.column - 1)).toContain(original);
          }
        } catch (error) {
          if (!(error instanceof DockerfileError)) throw error;
          expect(error.range.start.line).toBeGreaterThan(0);
          expect(error.frame).toContain('^');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
