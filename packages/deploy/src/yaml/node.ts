import type { SourceRange } from './source.ts';

/** What YAML and JSON can hold. Mappings are objects without a prototype, so that no name has a meaning of its own. */
export type PlainValue = string | number | boolean | null | readonly PlainValue[] | PlainObject;

/** A mapping of {@link PlainValue}s. */
export interface PlainObject {
  readonly [key: string]: PlainValue;
}

/** A value as it is written in a file, or as it came out of a template: with its place. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode;

interface NodeBase {
  readonly range: SourceRange;
  /** How many nodes there are in this tree, this one included, aliases counted each time. */
  readonly size: number;
}

/** Text, number, boolean or null. */
export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As written: `1.10` where the value is the number 1.1. For quoted text the same as the value. */
  readonly text: string;
  /** Without quotes: such text is read as number, boolean or null where it looks like one. */
  readonly plain: boolean;
  /** `value`: made from results or variables. Such text is never read as a template. */
  readonly origin: 'written' | 'value';
}

export interface SequenceNode extends NodeBase {
  readonly kind: 'sequence';
  readonly items: readonly YamlNode[];
}

export interface MappingNode extends NodeBase {
  readonly kind: 'mapping';
  /** In the order of the file. */
  readonly entries: ReadonlyMap<string, MappingEntry>;
}

/** One key of a mapping with its value. */
export interface MappingEntry {
  readonly key: string;
  readonly keyRange: SourceRange;
  readonly value: YamlNode;
}

export function scalarNode(
  value: ScalarNode['value'],
  range: SourceRange,
  written?: { readonly text: string; readonly plain: boolean },
): ScalarNode {
  return {
    kind: 'scalar',
    value,
    text: written?.text ?? (value === null ? 'null' : String(value)),
    plain: written?.plain ?? false,
    origin: written === undefined ? 'value' : 'written',
    range,
    size: 1,
  };
}

export function sequenceNode(items: readonly YamlNode[], range: SourceRange): SequenceNode {
  return { kind: 'sequence', items, range, size: items.reduce((sum, item) => sum + item.size, 1) };
}

export function mappingNode(entries: Iterable<MappingEntry>, range: SourceRange): MappingNode {
  const map = new Map<string, MappingEntry>();
  for (const entry of entries) map.set(entry.key, entry);
  let size = 1;
  for (const { value } of map.values()) size += value.size;
  return { kind: 'mapping', entries: map, range, size };
}

/** True for `null`, `~` and nothing at all. */
export function isNull(node: YamlNode | undefined): boolean {
  return node === undefined || (node.kind === 'scalar' && node.value === null);
}

/** What a node is, for messages: `text`, `a number`, `a list` … */
export function describeNode(node: YamlNode): string {
  if (node.kind === 'sequence') return 'a list';
  if (node.kind === 'mapping') return 'a mapping';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return 'text';
  return typeof node.value === 'boolean' ? 'true or false' : 'a number';
}
