import { parseFlags } from './flags.ts';
import { isSeparator } from './go-space.ts';
import type { ArgDeclaration, ArgInstruction, EnvInstruction, KeyValuePair, LabelInstruction } from './instructions.ts';
import { baseOf, fault, placeOf, type Statement } from './statement.ts';
import { splitQuotedWords } from './words.ts';

/** ENV: https://docs.docker.com/reference/dockerfile/#env */
export function parseEnv(statement: Statement): EnvInstruction {
  parseFlags(statement, {});
  return { kind: 'env', ...baseOf(statement), ...pairsOf(statement) };
}

/** LABEL: https://docs.docker.com/reference/dockerfile/#label */
export function parseLabel(statement: Statement): LabelInstruction {
  parseFlags(statement, {});
  return { kind: 'label', ...baseOf(statement), ...pairsOf(statement) };
}

/** ARG: https://docs.docker.com/reference/dockerfile/#arg. Flags are ignored, as in BuildKit. */
export function parseArg(statement: Statement): ArgInstruction {
  const args = splitQuotedWords(statement.rest, statement.escape).map((word): ArgDeclaration => {
    const equals = word.text.indexOf('=');
    if (equals === -1) return { key: word.text };
    if (equals === 0) throw fault(statement, 'the name of an ARG is empty', placeOf(statement, word));
    return { key: word.text.slice(0, equals), value: word.text.slice(equals + 1) };
  });
  if (args.length === 0) throw fault(statement, 'ARG needs a name');
  return { kind: 'arg', ...baseOf(statement), args };
}

/** `k=v k="v w"`, or the old form `k the rest of the line`. */
function pairsOf(statement: Statement): { readonly pairs: readonly KeyValuePair[]; readonly legacy: boolean } {
  const name = statement.word.toUpperCase();
  const words = splitQuotedWords(statement.rest, statement.escape);
  const first = words[0];
  if (first === undefined) throw fault(statement, `${name} needs a name and a value`);
  if (!first.text.includes('=')) {
    const pair = legacyPair(statement.rest);
    if (pair === undefined) {
      throw fault(statement, `${name} ${first.text} has no value`, placeOf(statement, first), {
        hint: `Write \`${name} ${first.text}=VALUE\`.`,
      });
    }
    return { pairs: [pair], legacy: true };
  }
  const pairs = words.map((word): KeyValuePair => {
    const equals = word.text.indexOf('=');
    if (equals === -1) {
      throw fault(statement, `${JSON.stringify(word.text)} is not of the form NAME=VALUE`, placeOf(statement, word), {
        hint: 'Put quotes around a value that holds blanks.',
      });
    }
    if (equals === 0) throw fault(statement, `the name before = is empty`, placeOf(statement, word));
    return { key: word.text.slice(0, equals), value: word.text.slice(equals + 1) };
  });
  return { pairs, legacy: false };
}

function legacyPair(text: string): KeyValuePair | undefined {
  let end = 0;
  while (end < text.length && !isSeparator(text.charCodeAt(end))) end++;
  let value = end;
  while (value < text.length && isSeparator(text.charCodeAt(value))) value++;
  return end === text.length ? undefined : { key: text.slice(0, end), value: text.slice(value) };
}
