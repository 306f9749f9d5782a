import { UsageError } from '@boxwright/errors';
import { isPlainObject, type PlainObject, type PlainValue, toPlainValue } from '../yaml/index.ts';

/**
 * Reads `--job-variable` as Prefect has it: `name=text`, or a JSON object. What begins with `{` is JSON, also when there is
 * an `=` in it.
 *
 * @throws UsageError
 */
export function parseJobVariables(texts: readonly string[]): PlainObject {
  const variables: Record<string, PlainValue> = Object.create(null);
  for (const text of texts) {
    if (text.trimStart().startsWith('{')) Object.assign(variables, parseObject(text));
    else {
      const equals = text.indexOf('=');
      if (equals < 1) {
        throw new UsageError('--job-variable: there is no name=value', {
          hint: "Write NAME=VALUE, or '{…}' as JSON.",
        });
      }
      variables[text.slice(0, equals)] = text.slice(equals + 1);
    }
  }
  return variables;
}

function parseObject(text: string): PlainObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the text and the cause, which shows it: it may hold a secret.
    throw new UsageError('--job-variable: what begins with { is no JSON', { hint: 'Put it in single quotes.' });
  }
  const plain = toPlainValue(value);
  if (isPlainObject(plain)) return plain;
  throw new UsageError('--job-variable: this is no JSON object', { hint: 'Write {"name": value}.' });
}
