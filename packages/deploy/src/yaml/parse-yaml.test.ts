import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { LocatedError } from './located-error.ts';
import { parseYaml } from './parse-yaml.ts';
import { plainValue } from './plain-value.ts';

function read(text: string): unknown {
  const node = parseYaml(text, 'a.yaml');
  return node === undefined ? undefined : JSON.parse(JSON.stringify(plainValue(node)));
}

function fault(text: string): LocatedError {
  try {
    parseYaml(text, 'a.yaml');
  } catch (error) {
    if (error instanceof LocatedError) return error;
    throw error;
  }
  throw new Error('no fault was found');
}

describe('parseYaml', () => {
  it.each<[string, unknown]>([
    ['', undefined],
    ['# nothing', undefined],
    ['\ufeffa: 1', { a: 1 }],
    [
      'a: 1.5\nb: true\nc: ~\nd:\ne: "1"\nf: 2020-01-01',
      { a: 1.5, b: true, c: null, d: null, e: '1', f: '2020-01-01' },
    ],
    ['a: yes\nb: 010\nc: 0x1f', { a: 'yes', b: 10, c: 31 }],
    ['a: 12345678901234567890\nb: 1e999\nc: .inf', { a: '12345678901234567890', b: '1e999', c: '.inf' }],
    ['1: a\ntrue: b\n"<<": c', { 1: 'a', true: 'b', '<<': 'c' }],
    ['a: !!str 1.10', { a: '1.10' }],
    ['- &a {x: 1}\n- *a\n- [*a]', [{ x: 1 }, { x: 1 }, [{ x: 1 }]]],
    ['- &a 1\n- *a\n- &a 2\n- *a', [1, 1, 2, 2]],
    ['a: |\n  x\n  y\nb: >-\n  x\n  y', { a: 'x\ny\n', b: 'x y' }],
  ])('%j', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it('keeps how numbers are written, and where', () => {
    const node = parseYaml('tag: 1.10\n', 'a.yaml');
    const tag = node?.kind === 'mapping' ? node.entries.get('tag') : undefined;
    expect(tag?.value).toMatchObject({ value: 1.1, text: '1.10', plain: true });
    expect(tag?.keyRange.start).toEqual({ line: 1, column: 1 });
    expect(tag?.value.range).toMatchObject({ start: { line: 1, column: 6 }, end: { line: 1, column: 10 } });
  });

  it('merges as YAML 1.1 does: own keys first, then the sources in their order', () => {
    expect(read('a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  z: 3\n  <<: [*a, *b]')).toMatchObject({
      c: { x: 1, y: 1, z: 3 },
    });
    expect(fault('a: 1\n<<: 2').message).toContain('only mappings can be merged');
  });

  it('takes names of the prototype for names', () => {
    const node = parseYaml('__proto__: {polluted: 1}\nconstructor: 2', 'a.yaml');
    expect(node?.kind === 'mapping' && [...node.entries.keys()]).toEqual(['__proto__', 'constructor']);
    const value: unknown = node && plainValue(node);
    expect(Object.getPrototypeOf(value)).toBe(null);
    expect(Object.keys(Object(value))).toEqual(['__proto__', 'constructor']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it.each([
    ['a: 1\nb: 2\na: 3', 'YAML_SYNTAX', 3, 1, 'the key a is there twice; the first is in line 1'],
    ['a: {b: 1, "b": 2}', 'YAML_SYNTAX', 1, 11, 'the key b is there twice'],
    ['a:\n\tb: 1', 'YAML_SYNTAX', 2, 1, 'a tab where blanks must be'],
    ['a: &x [1, *x]', 'YAML_SYNTAX', 1, 11, 'the alias *x is inside of what it stands for'],
    ['a: &x {b: {c: *x}}', 'YAML_SYNTAX', 1, 15, 'the alias *x is inside of what it stands for'],
    ['a: *x\nb: &x 1', 'YAML_SYNTAX', 1, 4, 'there is no anchor &x before this alias'],
    ['a: !python/object:os.system x', 'YAML_SYNTAX', 1, 4, 'tag'],
    ['a: !!binary aGk=', 'YAML_SYNTAX', 1, 4, 'tag'],
    ['a: 1\n---\nb: 2', 'YAML_SYNTAX', 2, 1, 'a second document begins here'],
    ['%YAML 1.1\n---\na: yes', 'YAML_SYNTAX', 1, 1, 'another version'],
    ['? [a]\n: b', 'YAML_SYNTAX', 1, 3, 'a key must be text'],
    ['a: "x', 'YAML_SYNTAX', 1, 6, 'quote'],
    ['a: "\u0007"', 'YAML_SYNTAX', 1, 5, 'a control character'],
    [`a: ${'x'.repeat(1024 * 1024)}`, 'YAML_TOO_LARGE', 1, 1, 'characters'],
  ])('refuses case %#', (text, code, line, column, reason) => {
    const error = fault(text);
    expect(error).toMatchObject({ code, details: { file: 'a.yaml', line, column } });
    expect(error.message).toContain(reason);
    expect(error.frame).toContain('^');
  });

  it('says that a value with a placeholder needs quotes', () => {
    expect(fault('tag: {{ build.tag }}').hint).toContain('"{{ build.tag }}"');
    expect(fault('tag: {{ build.tag }}-x').hint).toContain('Put quotes around');
  });

  it.each([
    ['flow lists', '['.repeat(20_000)],
    ['block lists', '- '.repeat(20_000)],
    ['questions', '? '.repeat(20_000)],
    ['mappings', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('refuses %s that are nested without end', (_, text) => {
    expect(fault(text).code).toBe('YAML_TOO_LARGE');
  });

  it('refuses aliases that multiply, at once', () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    const lines = levels.map(
      (name, index) =>
        `${name}: &${name} [${Array.from({ length: 10 }, () => (index ? `*${levels[index - 1]}` : '1')).join()}]`,
    );
    const before = performance.now();
    expect(fault(lines.join('\n')).code).toBe('YAML_TOO_LARGE');
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it('reads many keys in time', () => {
    const before = performance.now();
    expect(Object.keys(Object(read(Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join('\n'))))).toHaveLength(
      20_000,
    );
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it('reads back what a writer of YAML wrote', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme' }).filter((text) => !/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z _:.-]{1,12}$/), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (original) => {
        expect(read(stringify(original))).toEqual(original);
      }),
      { numRuns: 200 },
    );
  });

  it('ends with an error of its own kind, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...Array.from('ab:-?&*!|>%[]{},"\'#\n \t<1.~')), { maxLength: 40 }),
        (characters) => {
          try {
            parseYaml(characters.join(''), 'a.yaml');
          } catch (error) {
            expect(error).toBeInstanceOf(LocatedError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
