import { BoxwrightError } from '@boxwright/errors';
import {
  type MappingEntry,
  mappingNode,
  type PlainObject,
  type PlainValue,
  scalarNode,
  sequenceNode,
  type YamlNode,
} from './node.ts';
import type { SourceRange } from './source.ts';

/** Deeper values than this are refused: nobody writes them, and functions that walk them would run out of stack. */
export const maxDepth = 64;

/** The value of a node, without places. */
export function plainValue(node: YamlNode): PlainValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'sequence') return node.items.map(plainValue);
  const object: Record<string, PlainValue> = Object.create(null);
  for (const [key, entry] of node.entries) object[key] = plainValue(entry.value);
  return object;
}

/** Like {@link plainValue}, with the members that are not there left out, for the top of a mapping. */
export function plainEntries(node: YamlNode): PlainObject {
  const value = plainValue(node);
  return isPlainObject(value) ? value : Object.create(null);
}

/** True for mappings: neither text, number, boolean, null nor list. */
export function isPlainObject(value: PlainValue | undefined): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What a step or a source of variables gave, as a {@link PlainValue}: a copy that shares nothing with the original. Members that are
 * undefined are left out; Maps become mappings.
 *
 * @throws BoxwrightError `TEMPLATE_VALUE` for functions, dates and the like, for numbers that are not finite, for circles and for values
 * more than {@link maxDepth} deep.
 */
export function toPlainValue(value: unknown, depth: number = 0): PlainValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (depth > maxDepth) throw valueError(`a value more than ${maxDepth} levels deep`);
  if (Array.isArray(value)) return value.map((item: unknown) => toPlainValue(item ?? null, depth + 1));
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (value instanceof Map || prototype === null || prototype === Object.prototype) {
      const object: Record<string, PlainValue> = Object.create(null);
      const members: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
      for (const [key, member] of members) {
        if (member !== undefined) object[String(key)] = toPlainValue(member, depth + 1);
      }
      return object;
    }
    throw valueError(`an object of class ${value.constructor.name}`);
  }
  throw valueError(typeof value === 'number' ? `the number ${value}` : `a value of type ${typeof value}`);
}

function valueError(what: string): BoxwrightError {
  return new BoxwrightError('TEMPLATE_VALUE', `${what} cannot be used in a template`, {
    hint: 'Results of steps are text, numbers, booleans, null, lists and mappings of them.',
  });
}

/** A value as a tree in which every node has the same place: that of the placeholder it stands for. */
export function valueNode(value: PlainValue, range: SourceRange): YamlNode {
  if (typeof value !== 'object' || value === null) return scalarNode(value, range);
  if (!isPlainObject(value)) {
    return sequenceNode(
      value.map((item) => valueNode(item, range)),
      range,
    );
  }
  const entries = Object.entries(value).map(
    ([key, member]): MappingEntry => ({ key, keyRange: range, value: valueNode(member, range) }),
  );
  return mappingNode(entries, range);
}
