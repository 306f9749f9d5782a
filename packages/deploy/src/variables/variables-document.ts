import { BoxwrightError } from '@boxwright/errors';
import {
  describeNode,
  isNull,
  LocatedError,
  type MappingEntry,
  type MappingNode,
  type PlainObject,
  type PlainValue,
  parseYaml,
  plainValue,
  type YamlNode,
} from '../yaml/index.ts';
import type { BlockDocument, VariableSource } from './variable-source.ts';

/**
 * The text of a file of variables, which is YAML:
 *
 *     variables:
 *       base_tag: "1.10"
 *     blocks:
 *       docker-registry-credentials:
 *         dev-registry: {username: me, password: secret, registry_url: registry.example.org}
 *       secret:
 *         npm-token: text
 *
 * A block that is no mapping is one with that value.
 *
 * @throws BoxwrightError `VARIABLES_INVALID` for other content, `YAML_SYNTAX` and `YAML_TOO_LARGE`.
 */
export function parseVariables(text: string, file: string): VariableSource {
  try {
    return parseDocument(text, file);
  } catch (error) {
    if (!(error instanceof LocatedError)) throw error;
    // Without its frame and its cause: they show lines of the file, and those hold secrets.
    const { code, message, hint, details } = error;
    throw new BoxwrightError(code, message, { hint, details });
  }
}

function parseDocument(text: string, file: string): VariableSource {
  const top = parseYaml(text, file);
  const variables = new Map<string, YamlNode>();
  const blocks = new Map<string, BlockDocument>();
  if (top !== undefined) {
    for (const { key, keyRange, value } of mapping(top, 'a file of variables').entries.values()) {
      if (key === 'variables') for (const entry of members(value, key)) variables.set(entry.key, entry.value);
      else if (key === 'blocks') readBlocks(value, blocks);
      else {
        throw new LocatedError('VARIABLES_INVALID', keyRange, `a file of variables has no key ${key}`, {
          hint: 'It has variables and blocks.',
        });
      }
    }
  }
  return {
    description: file,
    variable: async (name) => {
      const node = variables.get(name);
      return node === undefined ? undefined : asWritten(node);
    },
    block: async (type, name) => blocks.get(`${type}.${name}`),
    names: () => ({ variables: [...variables.keys()], blocks: [...blocks.keys()] }),
  };
}

function readBlocks(node: YamlNode, into: Map<string, BlockDocument>): void {
  for (const type of members(node, 'blocks')) {
    for (const { key, value } of members(type.value, type.key)) {
      const plain = plainValue(value);
      const data: PlainObject = value.kind === 'mapping' ? plainMapping(value) : { value: plain };
      into.set(`${type.key}.${key}`, { data });
    }
  }
}

/** Fractions stay text: the password or tag 1.10 is not 1.1. */
function asWritten(node: YamlNode): PlainValue {
  return node.kind === 'scalar' && typeof node.value === 'number' && String(node.value) !== node.text
    ? node.text
    : plainValue(node);
}

function plainMapping(node: MappingNode): PlainObject {
  const object: Record<string, PlainValue> = Object.create(null);
  for (const { key, value } of node.entries.values()) object[key] = asWritten(value);
  return object;
}

function members(node: YamlNode, what: string): MappingEntry[] {
  return isNull(node) ? [] : [...mapping(node, what).entries.values()];
}

function mapping(node: YamlNode, what: string): MappingNode {
  if (node.kind === 'mapping') return node;
  throw new LocatedError('VARIABLES_INVALID', node.range, `${what} must be a mapping, not ${describeNode(node)}`);
}
