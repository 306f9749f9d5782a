import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocatedError, parseYaml, plainValue, type YamlNode } from '../yaml/index.ts';
import type { Lookup, TemplateResolver } from './lookup.ts';
import { resolveNode } from './resolve.ts';
import { StepOutputs } from './step-outputs.ts';

const outputs = new StepOutputs();
outputs.add('build-image', {
  image_name: 'app',
  tag: '1.10',
  additional_tags: ['a', "b'c"],
  flag: true,
  nothing: null,
  nested: { deep: [{ x: 1 }], 0: 'zero' },
  evil: '{{ $SECRET }} {{ prefect.blocks.secret.x }}',
});

function resolver(parts: Partial<TemplateResolver> = {}): TemplateResolver {
  return {
    step: (name, path) => (name === 'ctx' ? { kind: 'keep' } : outputs.lookup(name, path)),
    env: (name): Lookup =>
      name === 'HOME' ? { kind: 'value', value: '/home' } : { kind: 'missing', candidates: ['HOME', 'SECRET'] },
    variable: (name) => ({ kind: 'value', value: name === 'list' ? [1, 2] : name }),
    block: async (type, name, path) =>
      name === 'map'
        ? { kind: 'value', value: { a: 1 } }
        : { kind: 'value', value: [type, name, ...path].join('/'), secrets: ['s3'] },
    ...parts,
  };
}

function node(text: string): YamlNode {
  const made = parseYaml(text, 'a.yaml');
  if (made === undefined) throw new Error('nothing is written');
  return made;
}

async function resolved(text: string, with_: TemplateResolver = resolver()): Promise<unknown> {
  return JSON.parse(JSON.stringify(plainValue(await resolveNode(node(text), with_))));
}

async function fault(text: string, with_: TemplateResolver = resolver()): Promise<LocatedError> {
  const error: unknown = await resolveNode(node(text), with_).catch((caught: unknown) => caught);
  if (error instanceof LocatedError) return error;
  throw new Error('no fault was found', { cause: error });
}

describe('resolveNode', () => {
  it.each<[string, unknown]>([
    ['"{{ build-image.tag }}"', '1.10'],
    ['"{{build-image.tag}}"', '1.10'],
    ['"{{\\n build-image.tag }}"', '1.10'],
    ['"{{ tag }}"', '1.10'],
    ['"{{ build-image.flag }}"', true],
    ['"{{ build-image.nothing }}"', null],
    ['"{{ build-image.additional_tags }}"', ['a', "b'c"]],
    ['"{{ build-image.additional_tags[-1] }}"', "b'c"],
    ['"{{ build-image.nested.deep[0].x }}"', 1],
    ['"{{ build-image.nested[0] }}"', 'zero'],
    ['"{{ build-image.tag[0] }}"', '1'],
    ['" {{ build-image.flag }}"', ' True'],
    ['"{{ image_name }}:{{ tag }}"', 'app:1.10'],
    ['"x {{ build-image.nothing }} {{ build-image.additional_tags }}"', `x None ['a', "b'c"]`],
    ['"x {{ build-image.nested.deep }}"', "x [{'x': 1}]"],
    ['"{{{ tag }}}"', '{1.10}'],
    ['"{{ $HOME }}/x {{ $$HOME }}"', '/home/x /home'],
    ['"{{ prefect.variables.list }}"', [1, 2]],
    ['"{{ prefect.variables.a.b }}"', 'a.b'],
    ['"{{ prefect.blocks.json.name.a[0].b }}"', 'json/name/a/0/b'],
    ['"{{ prefect.blocks.json.name[0].b }}"', 'json/name/0/b'],
    ['"{{ prefect.blocks.x.map }}"', { a: 1 }],
    ['"{{ ctx.flow_run.id }} {{ tag }}"', '{{ ctx.flow_run.id }} 1.10'],
    ['"{{ a b }} {{ tag|x }} {{}} {{ \'tag\' }} {{.Names}}"', "{{ a b }} {{ tag|x }} {{}} {{ 'tag' }} {{.Names}}"],
    ['{"{{ tag }}": 1}', { '{{ tag }}': 1 }],
    ['["{{ tag }}", {a: "{{ tag }}"}]', ['1.10', { a: '1.10' }]],
  ])('%s', async (text, value) => {
    expect(await resolved(text)).toEqual(value);
  });

  it('never reads as a template what came out of one', async () => {
    const first = await resolveNode(
      node('["{{ build-image.evil }}", "x {{ evil }}", "{{ build-image }}"]'),
      resolver(),
    );
    const asked: string[] = [];
    const again = await resolveNode(first, resolver({ env: (name) => ({ kind: 'value', value: asked.push(name) }) }));
    expect(plainValue(again)).toEqual(plainValue(first));
    expect(JSON.stringify(plainValue(again))).toContain('{{ $SECRET }}');
    expect(asked).toEqual([]);
  });

  it('takes the id of a step before a result of that name, whichever came last', async () => {
    const results = new StepOutputs();
    results.add('tag', { tag: 'first' });
    results.add(undefined, { tag: 'second' });
    const made = resolver({ step: (name, path) => results.lookup(name, path) });
    expect(await resolved('["{{ tag.tag }}", "{{ tag }}"]', made)).toEqual(['first', { tag: 'first' }]);
  });

  it('keeps how numbers are written', async () => {
    const made = await resolveNode(node('tag: 1.10'), resolver());
    expect(made.kind === 'mapping' && made.entries.get('tag')?.value).toMatchObject({ value: 1.1, text: '1.10' });
  });

  it('says which name is unknown, where, and what was perhaps meant', async () => {
    const error = await fault('a: 1\nb:\n  c: "x-{{ $HOEM }}"');
    expect(error).toMatchObject({ code: 'TEMPLATE_UNKNOWN', hint: 'Did you mean HOME?' });
    expect(error.details).toMatchObject({ line: 3, column: 9, placeholder: '$HOEM', kind: 'env' });
    expect(await fault('"{{ buildimage.tag }}"')).toMatchObject({ hint: 'Did you mean build-image?' });
    expect((await fault('"{{ build-image.digst }}"')).message).toContain('the result build-image has no digst');
    expect((await fault('"{{ build-image.tag.x }}"')).message).toContain('the result build-image.tag has no x');
    expect((await fault('"{{ build-image.additional_tags[2] }}"')).message).toContain('has no 2');
    expect((await fault('"{{ build-image.__proto__ }}"')).code).toBe('TEMPLATE_UNKNOWN');
    expect((await fault('"{{ constructor }}"')).code).toBe('TEMPLATE_UNKNOWN');
  });

  it('points at the placeholder also in folded text and behind escapes', async () => {
    expect((await fault('a: |\n  echo 1\n  echo {{ nope }}\n')).details).toMatchObject({ line: 3, column: 8 });
    expect((await fault('a: "\\n{{ tag }} {{ nope }}"')).details).toMatchObject({ line: 1, column: 17 });
    // A brace as an escape: the whole text is the place.
    expect((await fault('a: "\\x7b{ nope }}"')).details).toMatchObject({ line: 1, column: 4 });
  });

  it.each([
    ['"{{ prefect.blocks.secret }}"', 'Expected format: prefect.blocks.<block-type-slug>.<block-document-name>'],
    ['"{{ prefect.variables. }}"', 'no variable is named'],
    ['"{{ $ }}"', 'no environment variable is named'],
    ['"{{ [0] }}"', 'no step is named'],
    ['"a {{ prefect.blocks.x.map }}"', 'cannot be used for inline string substitution'],
  ])('refuses %s', async (text, reason) => {
    const error = await fault(text);
    expect(error.code).toBe('TEMPLATE_INVALID');
    expect(error.message).toContain(reason);
  });

  it('refuses values that YAML cannot hold', async () => {
    for (const value of [Number.NaN, () => 1, new Date(), 1n]) {
      expect((await fault('"{{ x }}"', resolver({ step: () => ({ kind: 'value', value }) }))).code).toBe(
        'TEMPLATE_VALUE',
      );
    }
    const circle: unknown[] = [];
    circle.push(circle);
    const made = resolver({ step: () => ({ kind: 'value', value: circle }) });
    expect((await fault('"{{ x }}"', made)).code).toBe('TEMPLATE_VALUE');
    const large = resolver({ step: () => ({ kind: 'value', value: 'x'.repeat(300_000) }) });
    expect((await fault('"{{ x }} {{ x }} {{ x }} {{ x }}"', large)).code).toBe('TEMPLATE_VALUE');
  });

  it.each<[string, string, boolean]>([
    ['a: "{{ x }}"', '{{ prefect.blocks.secret.other }}', true],
    ['a: ["b", "{{ x }}"]', '{{ $HOME }}', true],
    ['a: "{{{ x }}}"', '{ ctx.flow_run.id }', true],
    ['a: "{{ x }}.blocks.secret.other }}"', '{{ prefect', true],
    ['a: "{{ ctx.one }} {{ x }}"', '{{ ctx.two }}', true],
    ['a: "{{ x }} {{ ctx.one }}"', 'no {{ template }', false],
    ['{a: "{{ ctx.one }}", b: "{{ ctx.two }} {{ x }}"}', 'docker ps --format {{.Names}}', false],
  ])('%s with %j, which somebody else reads as templates once more: refused is %s', async (text, value, isRefused) => {
    const made = resolver({ step: (name) => (name === 'ctx' ? { kind: 'keep' } : { kind: 'value', value }) });
    const result = resolveNode(node(text), made, { isReadAgain: true });
    if (isRefused) await expect(result).rejects.toMatchObject({ code: 'TEMPLATE_VALUE', details: { line: 1 } });
    else await result;
    // Where nobody does, it is text like any other.
    expect(JSON.stringify(plainValue(await resolveNode(node(text), made)))).toContain(value);
  });

  it('asks once for a name, and reports secrets', async () => {
    const secrets: string[] = [];
    let asked = 0;
    const counting = resolver({
      block: () => {
        asked++;
        return { kind: 'value', value: 's', secrets: ['s', 't'] };
      },
    });
    await resolveNode(node('["{{ prefect.blocks.a.b }}", "x{{ prefect.blocks.a.b }}"]'), counting, {
      onSecret: (secret) => {
        secrets.push(secret);
      },
    });
    expect(asked).toBe(1);
    expect(secrets).toEqual(['s', 't']);
  });

  it('leaves text without placeholders as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        fc.pre(!text.includes('{{'));
        expect(await resolved(JSON.stringify({ a: text.replaceAll('\x7f', '') }))).toEqual({
          a: text.replaceAll('\x7f', ''),
        });
      }),
      { numRuns: 100 },
    );
  });

  it('takes linear time for braces without end', async () => {
    const before = performance.now();
    for (const text of [
      '{{'.repeat(200_000),
      `{{${' '.repeat(400_000)}`,
      `{{${'a'.repeat(400_000)}`,
      '{{ a '.repeat(80_000),
    ]) {
      await resolved(JSON.stringify(text));
    }
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});
