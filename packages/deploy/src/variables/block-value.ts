import { followPath, type Lookup } from '../template/index.ts';
import { isPlainObject, isSecretName, type PlainValue } from '../yaml/index.ts';
import type { BlockDocument } from './variable-source.ts';

/**
 * What a placeholder for a block gives. A block that only has a `value` (Secret, String, JSON …) stands for that value, so that `.key` and
 * `.value.key` mean the same.
 */
export function blockLookup(
  document: BlockDocument,
  type: string,
  placeholder: string,
  path: readonly string[],
): Lookup {
  const { data } = document;
  const members = Object.keys(data);
  const single = members.length === 1 && members[0] === 'value' && path[0] !== 'value';
  const found = followPath(single ? data['value'] : data, path);
  if (found.found) return { kind: 'value', value: found.value, secrets: secretsOf(document, type) };
  return {
    kind: 'missing',
    reason: `Invalid template: '${placeholder}'. Could not resolve the keypath in the block document data.`,
    hint: found.candidates.length > 0 ? `It has ${found.candidates.slice(0, 20).join(', ')}.` : undefined,
  };
}

/** The texts of a block that must not be shown: all of a `secret`, else the fields that its type or their names call secret. */
function secretsOf({ data, secretFields = [] }: BlockDocument, type: string): string[] {
  const secrets: string[] = [];
  const tops = new Set(secretFields.map((field) => field.split('.')[0]));
  for (const [name, value] of Object.entries(data)) {
    collect(value, type === 'secret' || tops.has(name) || isSecretName(name), secrets);
  }
  return secrets;
}

function collect(value: PlainValue, secret: boolean, into: string[]): void {
  if (isPlainObject(value)) {
    for (const [name, member] of Object.entries(value)) collect(member, secret || isSecretName(name), into);
  } else if (Array.isArray(value)) for (const item of value) collect(item, secret, into);
  else if (secret && (typeof value === 'string' || typeof value === 'number')) into.push(String(value));
}
