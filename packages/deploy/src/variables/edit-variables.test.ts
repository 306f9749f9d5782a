import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlainValue } from '../yaml/index.ts';
import { editVariables, type VariablesPlace } from './edit-variables.ts';
import { variablesContent } from './variables-content.ts';

const variable = (name: string): VariablesPlace => ({ kind: 'variable', name });
const block = (type: string, name: string): VariablesPlace => ({ kind: 'block', type, name });
const edit = (text: string, place: VariablesPlace, value?: PlainValue): Promise<string> =>
  editVariables(text, 'v.yaml', { place, value });

const commented = `# of the team
variables:
  # bases
  base_tag: "1.10" # not 1.1

  other: {a: 1}
blocks:
  docker-registry-credentials:
    # ann's
    dev-registry:
      username: ann
      password: old # until May
`;

describe('editVariables', () => {
  it('keeps comments, order and the writing of the rest', async () => {
    let text = await edit(commented, variable('base_tag'), '1.20');
    text = await edit(text, block('docker-registry-credentials', 'dev-registry'), {
      password: 'new: #1',
      registry_url: 'r.example.com',
    });
    text = await edit(text, block('secret', 'npm'), 'true');
    text = await edit(text, variable('list'), [1, 'a']);
    expect(text).toBe(`# of the team
variables:
  # bases
  base_tag: "1.20" # not 1.1

  other: {a: 1}
  list:
    - 1
    - a
blocks:
  docker-registry-credentials:
    # ann's
    dev-registry:
      username: ann
      password: "new: #1" # until May
      registry_url: r.example.com
  secret:
    npm: "true"
`);
  });

  it('makes a file', async () => {
    expect(await edit('', variable('a'), '1.10')).toBe('variables:\n  a: "1.10"\n');
    expect(await edit('# why\n', block('t', 'n'), { a: null })).toBe('# why\n\nblocks:\n  t:\n    n:\n      a: null\n');
    expect(await edit('variables:\nblocks: # none yet\n', block('t', 'n'), 'x')).toContain('n: x');
  });

  it('removes, and types with nothing left', async () => {
    const text = await edit(commented, block('docker-registry-credentials', 'dev-registry'));
    expect(await variablesContent(text, 'v.yaml')).toMatchObject({ blocks: new Map() });
    expect(text).not.toContain('docker-registry');
    expect(await edit(commented, variable('base_tag'))).not.toContain('base_tag');
  });

  it('turns one value into fields, and fields into one value', async () => {
    const one = await edit('blocks: {t: {n: x}}\n', block('t', 'n'), { a: '1' });
    expect((await variablesContent(one, 'v')).blocks.get('t/n')).toEqual({ a: '1' });
    const other = await edit(one, block('t', 'n'), 'y');
    expect((await variablesContent(other, 'v')).blocks.get('t/n')).toEqual({ value: 'y' });
  });

  it('leaves alone what others stand on', async () => {
    for (const [text, place] of [
      ['variables: {a: &a secret1, b: *a}', variable('a')],
      ['blocks: {t: {n: &n {x: secret1}, m: *n}}', block('t', 'n')],
      ['variables: {a: 1, <<: {b: secret1}}', variable('b')],
    ] as const) {
      const value = place.kind === 'block' ? { x: 'y' } : undefined;
      await expect(edit(text, place, value)).rejects.toMatchObject({
        code: 'VARIABLES_INVALID',
        message: expect.not.stringContaining('secret1'),
      });
    }
    // An alias gives way to values of its own.
    const own = await edit('blocks: {t: {n: &n {x: 1}, m: *n}}', block('t', 'm'), { y: 2 });
    expect((await variablesContent(own, 'v')).blocks).toEqual(
      new Map([
        ['t/n', { x: 1 }],
        ['t/m', { x: 1, y: 2 }],
      ]),
    );
  });

  it('refuses a file that is none', async () => {
    await expect(edit('variables: [1]', variable('a'), 'x')).rejects.toMatchObject({ code: 'VARIABLES_INVALID' });
    await expect(edit('a: [', variable('a'), 'x')).rejects.toMatchObject({ code: 'YAML_SYNTAX' });
  });

  it('gives back any text that was set', async () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !/[\u007f\ud800-\udfff]/.test(text));
    await fc.assert(
      fc.asyncProperty(texts, texts, async (first, second) => {
        const text = await edit(await edit(commented, variable('new'), first), block('b', 'n'), { x: second });
        const { variables, blocks } = await variablesContent(text, 'v');
        expect(variables.get('new')).toBe(first);
        expect(blocks.get('b/n')).toEqual({ x: second });
        expect(variables.get('base_tag')).toBe('1.10');
      }),
      { numRuns: 100 },
    );
  });
});
