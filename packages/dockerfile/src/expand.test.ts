import { describe, expect, it } from 'vitest';
import { DockerfileError } from './dockerfile-error.ts';
import { expandInstruction, instructionFault } from './expand.ts';
import type { Dockerfile, Instruction } from './instructions.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

const variables = new Map([
  ['a', '1'],
  ['sp', 'x y'],
  ['ports', '80 81/UDP'],
]);
const lookup = (name: string): string | undefined => variables.get(name);

function parsed(text: string, head = ''): { dockerfile: Dockerfile; instruction: Instruction } {
  const dockerfile = parseDockerfile(`${head}FROM x\n${text}`);
  const instruction = dockerfile.stages[0]?.instructions[0];
  if (instruction === undefined) throw new Error('no instruction');
  return { dockerfile, instruction };
}

function expanded(text: string): Instruction {
  const { dockerfile, instruction } = parsed(text);
  return expandInstruction(instruction, lookup, { dockerfile });
}

describe('expandInstruction', () => {
  it.each([
    [
      'ENV x="$sp" "$a b"=$a $sp=2',
      {
        pairs: [
          { key: 'x', value: 'x y' },
          { key: '1 b', value: '1' },
          { key: 'x y', value: '2' },
        ],
      },
    ],
    [
      'ENV a=2 b=$a',
      {
        pairs: [
          { key: 'a', value: '2' },
          { key: 'b', value: '1' },
        ],
      },
    ],
    ['ENV k $a "b"', { pairs: [{ key: 'k', value: '1 b' }] }],
    [
      'LABEL "a.b"="c $a" d=e\\ f',
      {
        pairs: [
          { key: 'a.b', value: 'c 1' },
          { key: 'd', value: 'e f' },
        ],
      },
    ],
    [
      'ARG x=$a y=${x}2 z $q',
      { args: [{ key: 'x', value: '1' }, { key: 'y', value: '12' }, { key: 'z' }, { key: '$q' }] },
    ],
    [
      'COPY --chown=$a:$a --chmod=$a --from=f --exclude=$a $sp b "/$a"',
      { chown: '1:1', chmod: '1', from: 'f', exclude: ['$a'], sources: ['x y', 'b'], dest: '/1' },
    ],
    ['ADD --checksum=sha256:$a $a /$a', { checksum: 'sha256:1', sources: ['1'], dest: '/1' }],
    [
      'COPY <<A <<"B" /\n"$a" \'\\$a\' \\\\ `\nA\n$a\nB',
      {
        inline: [
          { name: 'A', content: '"1" \'$a\' \\ `\n', expand: true },
          { name: 'B', content: '$a\n', expand: false },
        ],
      },
    ],
    ['WORKDIR "/x y"/$a', { path: '/x y/1' }],
    ['USER $a:"$sp"', { user: '1:x y' }],
    ['STOPSIGNAL SIG$a', { signal: 'SIG1' }],
    ['VOLUME ["/$a", "/b c"]', { paths: ['/1', '/b c'] }],
    ['EXPOSE $ports 9', { ports: ['80', '81/UDP', '9'] }],
    ['EXPOSE $nope', { ports: [] }],
    [
      'RUN --mount=type=tmpfs,target=/$a,size=$a --mount=target=$sp $a',
      {
        command: '$a',
        mounts: [
          { type: 'tmpfs', target: '/1', size: 1, readonly: false },
          { type: 'bind', target: 'x y', readonly: true },
        ],
      },
    ],
  ])('%s', (text, expected) => {
    expect(expanded(text)).toMatchObject(expected);
  });

  it.each([
    'RUN echo $a',
    'CMD $a "b"',
    'CMD ["$a"]',
    'ENTRYPOINT $a',
    'SHELL ["$a"]',
    'HEALTHCHECK CMD $a',
    'HEALTHCHECK --interval=1s CMD ["$a"]',
    'ONBUILD ENV x=$a',
    'MAINTAINER $a',
  ])('leaves %s to others', (text) => {
    const { instruction } = parsed(text);
    expect(expandInstruction(instruction, lookup)).toEqual(instruction);
  });

  it('expands FROM', () => {
    const from = parseDockerfile('FROM --platform=$a/$a "x:${a}" AS $b'.replace(' AS $b', '')).stages[0]?.from;
    expect(from && expandInstruction(from, lookup)).toMatchObject({ image: 'x:1', platform: '1/1' });
  });

  it('uses the escape character of the file, but a backslash in heredocs', () => {
    const { dockerfile, instruction } = parsed('COPY <<E a`b /\n`$a \\$a\nE', '# escape=`\n');
    expect(expandInstruction(instruction, lookup, { dockerfile })).toMatchObject({
      sources: ['ab'],
      inline: [{ content: '`1 $a\n' }],
    });
    expect(expandInstruction(instruction, lookup, { escape: '\\' })).toMatchObject({ sources: ['a`b'] });
  });

  it('reports variables that are not set, but not for EXPOSE', () => {
    const unset: string[] = [];
    const onUnset = (name: string): number => unset.push(name);
    for (const text of ['ENV x=$p y=${q:-$a} z=$r', 'EXPOSE $s', 'COPY <<E /\n$t\nE', 'RUN --mount=target=$u $v']) {
      expandInstruction(parsed(text).instruction, lookup, { onUnset });
    }
    expect(unset).toEqual(['p', 'q', 'r', 't', 'u']);
  });

  it.each([
    ['ENV x=1 \\\n  y=${b?no}', 'DOCKERFILE_EXPANSION', { line: 3, column: 5 }, 'b: no'],
    ['USER "a', 'DOCKERFILE_EXPANSION', { line: 2, column: 6 }, 'double quote'],
    ['VOLUME $nope', 'DOCKERFILE_SYNTAX', { line: 2, column: 8 }, 'empty'],
    ['RUN --mount=type=foo,target=/r true', 'DOCKERFILE_SYNTAX', { line: 2, column: 5 }, 'unknown mount type'],
    ['COPY <<E /\nx\n${b:?no}\nE', 'DOCKERFILE_EXPANSION', { line: 3, column: 1 }, 'b: no'],
  ])('refuses %j', (text, code, start, reason) => {
    const { dockerfile, instruction } = parsed(text);
    const run = (): unknown => expandInstruction(instruction, lookup, { dockerfile });
    expect(run).toThrow(DockerfileError);
    expect(run).toThrow(expect.objectContaining({ code, reason: expect.stringContaining(reason) }));
    expect(run).toThrow(expect.objectContaining({ range: expect.objectContaining({ start }) }));
    // Without the file the frame is made from the instruction alone.
    expect(() => expandInstruction(instruction, lookup)).toThrow(
      expect.objectContaining({ range: expect.objectContaining({ start }) }),
    );
  });

  it('bounds what grows', () => {
    const { instruction } = parsed('ENV a=$a$a');
    const long = (): string => 'x'.repeat(600_000);
    expect(() => expandInstruction(instruction, long)).toThrow(
      expect.objectContaining({ code: 'DOCKERFILE_TOO_LARGE' }),
    );
  });
});

describe('instructionFault', () => {
  it('marks a piece of the instruction, or its word', () => {
    const { dockerfile, instruction } = parsed('  COPY a \\\n  b /c');
    const at = (text: string): unknown =>
      instructionFault(instruction, 'r', { code: 'DOCKERFILE_SYNTAX', text, dockerfile }).range;
    expect(at('b')).toEqual({ start: { line: 3, column: 3 }, end: { line: 3, column: 4 } });
    expect(at('a')).toEqual({ start: { line: 2, column: 8 }, end: { line: 2, column: 9 } });
    expect(at('nowhere')).toEqual({ start: { line: 2, column: 3 }, end: { line: 2, column: 7 } });
  });
});
