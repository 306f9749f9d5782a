import { parseJsonArray } from './json-array.ts';
import { fault, type Statement } from './statement.ts';
import { splitWords, type Word } from './words.ts';

/** Arguments that are a JSON array or else words: COPY, ADD, VOLUME. */
export function listArguments(statement: Statement): { readonly json: boolean; readonly words: readonly Word[] } {
  const values = jsonArguments(statement, statement.rest);
  if (values === undefined) return { json: false, words: splitWords(statement.rest) };
  // Places of single strings inside the array are not kept: messages point at the array.
  return { json: true, words: values.map((text) => ({ text, start: 0, end: statement.rest.length })) };
}

/** Arguments that are a JSON array or else a command line for the shell: RUN, CMD, ENTRYPOINT, HEALTHCHECK CMD. */
export function commandArguments(
  statement: Statement,
  text: string = statement.rest,
): { readonly form: 'shell' | 'exec'; readonly command: string; readonly args: readonly string[] } {
  const args = jsonArguments(statement, text);
  return args === undefined ? { form: 'shell', command: text, args: [] } : { form: 'exec', command: '', args };
}

function jsonArguments(statement: Statement, text: string): readonly string[] | undefined {
  const json = parseJsonArray(text);
  if (json.kind === 'strings') return json.values;
  if (json.kind === 'none') return undefined;
  const start = statement.restStart + statement.rest.length - text.length;
  throw fault(
    statement,
    'a JSON array of arguments may hold only strings',
    { start, end: start + text.length },
    { hint: 'Put double quotes around every item.' },
  );
}

/** The whole rest as the one argument: WORKDIR, USER, STOPSIGNAL, MAINTAINER. */
export function oneArgument(statement: Statement): string {
  if (statement.rest === '') throw fault(statement, `${statement.word.toUpperCase()} needs an argument`);
  return statement.rest;
}
