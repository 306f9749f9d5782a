import { describe, expect, it } from 'vitest';
import { tomlSections } from './toml-sections.ts';

/** The tables as plain objects. */
function read(text: string): object {
  return Object.fromEntries([...tomlSections(text)].map(([name, section]) => [name, Object.fromEntries(section)]));
}

describe('tomlSections', () => {
  it('reads tables, values over several lines and comments', () => {
    expect(read('a = 1 # one\n[ x.y ] # table\nb = [\n  "#", # two\n  "]",\n]\n"c" = \'"\'\n[[z]]\nd = 1\n')).toEqual({
      '': { a: '1' },
      'x.y': { b: '[ "#", "]", ]', c: "'\"'" },
    });
  });

  it.each(['"""', "'''"])('finds nothing in a text over several lines: %s', (quotes) => {
    const text = `[project]\ndescription = ${quotes}\n[project.scripts]\nevil = "x"\n a = [ # no comment\n${quotes} # it's one\nname = "n"\n`;
    expect(read(text)).toEqual({ '': {}, project: { description: '""', name: '"n"' } });
  });

  it.each([
    ['a = "x', { '': { a: '"x' } }],
    ['a = "\\"#" # c', { '': { a: '"\\"#"' } }],
    ['[t]\na = [\nb = 1\n', { '': {}, t: {} }],
    ['a = """\nb = 1\n', { '': { a: '""' } }],
    ['= 1\nx\n[\n', { '': {} }],
  ])('takes broken text as it is: %j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});
