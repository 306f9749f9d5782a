import { closestMatch } from '@boxwright/errors';
import {
  describeNode,
  isNull,
  LocatedError,
  type LocatedWarning,
  type MappingNode,
  type YamlNode,
} from '../yaml/index.ts';
import type { Field, Fields, FieldType } from './fields.ts';

/**
 * Checks the types of a mapping's values and adds a warning for each key that is not known. Null is as good as absent.
 *
 * @throws LocatedError `PROJECT_INVALID` for a value of another type.
 */
export function checkFields(node: MappingNode, fields: Fields, where: string, warnings: LocatedWarning[]): void {
  for (const { key, keyRange, value } of node.entries.values()) {
    const field = fields.get(key);
    if (field) checkType(key, value, field);
    else if (!key.startsWith('x-')) {
      const near = closestMatch(key, fields.keys());
      const hint = near === undefined ? `Known are ${[...fields.keys()].join(', ')}.` : `Did you mean ${near}?`;
      warnings.push({ range: keyRange, message: `${where} has no key ${key}; it is ignored`, hint });
    }
  }
}

function checkType(key: string, node: YamlNode, field: Field): void {
  const [fits, wanted] = types[field.type];
  if (isNull(node) || fits(node) || (isText(node) && node.text.includes('{{') && !strict.has(field.type))) return;
  throw new LocatedError('PROJECT_INVALID', node.range, `${key} must be ${wanted}, not ${describeNode(node)}`, {
    hint: hintFor(key, node, field),
  });
}

/** Types whose values are needed before anything can be resolved. */
const strict: ReadonlySet<FieldType> = new Set<FieldType>(['steps', 'deployments', 'work-pool']);

const types: Readonly<Record<FieldType, readonly [(node: YamlNode) => boolean, string]>> = {
  text: [isText, 'text'],
  boolean: [(node) => booleanOf(node) !== undefined, 'true or false'],
  mapping: [isMapping, 'a mapping'],
  anything: [() => true, 'anything'],
  'text-or-list': [(node) => isText(node) || (isList(node) && node.items.every(isText)), 'a list of texts'],
  'mapping-or-list': [(node) => isMapping(node) || isList(node), 'a list of mappings'],
  'integer-or-mapping': [
    (node) => isMapping(node) || (node.kind === 'scalar' && Number.isSafeInteger(node.value)),
    'a whole number, or a mapping',
  ],
  steps: [(node) => isMapping(node) || isList(node), 'a list of steps'],
  'work-pool': [isMapping, 'a mapping'],
  deployments: [isList, 'a list'],
};

/** Numbers, too: a version `1.10` is text that looks like one. */
function isText(node: YamlNode): node is YamlNode & { readonly kind: 'scalar' } {
  return node.kind === 'scalar' && node.value !== null && typeof node.value !== 'boolean';
}

function isMapping(node: YamlNode): boolean {
  return node.kind === 'mapping';
}

function isList(node: YamlNode): node is YamlNode & { readonly kind: 'sequence' } {
  return node.kind === 'sequence';
}

/** True or false, also as YAML 1.1 writes them (`yes`, `off`), which is how Prefect reads its files. */
export function booleanOf(node: YamlNode): boolean | undefined {
  if (node.kind !== 'scalar') return undefined;
  if (typeof node.value === 'boolean') return node.value;
  return node.plain ? yaml11Booleans.get(node.text.toLowerCase()) : undefined;
}

/** Words that YAML 1.1 reads as booleans and YAML 1.2 as text. */
export const yaml11Booleans: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['on', true],
  ['no', false],
  ['off', false],
]);

function hintFor(key: string, node: YamlNode, field: Field): string | undefined {
  if (field.type === 'work-pool' && isText(node)) return `Write work_pool: {name: ${node.text}}.`;
  if (field.type === 'deployments') return 'Each deployment is an item of the list: a line that begins with "- name:".';
  if (field.type === 'text' && node.kind === 'scalar') return `Put quotes around it: ${key}: "${node.text}".`;
  return undefined;
}
