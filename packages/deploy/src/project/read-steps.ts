import {
  isNull,
  LocatedError,
  type LocatedWarning,
  type MappingEntry,
  type MappingNode,
  mappingNode,
  type Positioned,
  type YamlNode,
} from '../yaml/index.ts';
import type { Step } from './project.ts';

/** As many steps may be in one section. */
const maxSteps = 1000;

/** Keys of a step that are not inputs of its function. */
const reserved = ['id', 'requires'] as const;

/**
 * The steps of a section: a list of mappings with one key each, or one such mapping. Items that are empty are left out with a warning.
 *
 * @throws LocatedError `STEP_INVALID` for an item that is no step.
 */
export function readSteps(node: YamlNode, warnings: LocatedWarning[]): Step[] {
  if (isNull(node)) return [];
  const items = node.kind === 'sequence' ? node.items : [node];
  if (items.length > maxSteps) throw invalid(node, `more than ${maxSteps} steps`);
  const steps: Step[] = [];
  for (const item of items) {
    if (isNull(item) || (item.kind === 'mapping' && item.entries.size === 0)) {
      // An empty mapping for the whole section is a way to write "no steps".
      if (node.kind === 'sequence') warnings.push({ range: item.range, message: 'an empty step is left out' });
    } else steps.push(readStep(item, warnings));
  }
  warnOfDoubleIds(steps, warnings);
  return steps;
}

function readStep(node: YamlNode, warnings: LocatedWarning[]): Step {
  if (node.kind === 'scalar' && typeof node.value === 'string') {
    throw invalid(node, `a step is a mapping, not text`, `Write "- ${node.value}: {}", or its inputs below it.`);
  }
  if (node.kind !== 'mapping') throw invalid(node, 'a step is a mapping: its name, and its inputs below it');
  const [entry, second] = node.entries.values();
  if (entry === undefined) throw invalid(node, 'a step without a name');
  if (second !== undefined) throw severalKeys(node, entry, second);
  if (entry.key.trim() === '') throw invalid(node, 'a step without a name');
  return stepOf(node, entry, warnings);
}

function stepOf(node: MappingNode, entry: MappingEntry, warnings: LocatedWarning[]): Step {
  const { value } = entry;
  const empty = isNull(value);
  if (!empty && value.kind !== 'mapping') {
    throw invalid(
      value,
      `the inputs of ${entry.key} must be a mapping`,
      'Write each as "name: value" in a line of its own.',
    );
  }
  const entries = value.kind === 'mapping' ? value.entries : new Map<string, MappingEntry>();
  const inputs = [...entries.values()].filter(({ key }) => !isReserved(key));
  return {
    name: { value: entry.key, range: entry.keyRange },
    inputs: mappingNode(inputs, empty ? entry.keyRange : value.range),
    id: readId(entries.get('id')?.value, warnings),
    requires: readRequires(entries.get('requires')?.value),
    range: node.range,
  };
}

function isReserved(key: string): boolean {
  return reserved.some((name) => name === key);
}

function readId(node: YamlNode | undefined, warnings: LocatedWarning[]): Positioned<string> | undefined {
  if (node === undefined || isNull(node)) return undefined;
  if (node.kind !== 'scalar' || typeof node.value === 'boolean') throw invalid(node, 'the id of a step must be text');
  const id = node.text;
  if (id === '') return undefined;
  if (!/^[\p{L}\p{N}_-]+$/u.test(id)) {
    const message = `no placeholder can name the id ${id}`;
    warnings.push({ range: node.range, message, hint: 'Use letters, digits, "-" and "_". An id is no template.' });
  }
  return { value: id, range: node.range };
}

function readRequires(node: YamlNode | undefined): Positioned<string>[] {
  if (node === undefined || isNull(node)) return [];
  const items = node.kind === 'sequence' ? node.items : [node];
  return items.map((item) => {
    if (item.kind !== 'scalar' || typeof item.value !== 'string') {
      throw invalid(item, 'requires must be the name of a package, or a list of them');
    }
    return { value: item.value, range: item.range };
  });
}

/** The usual slip: the inputs stand in the column of the step's name. */
function severalKeys(node: MappingNode, entry: MappingEntry, second: MappingEntry): LocatedError {
  const others = [...node.entries.keys()].slice(1);
  if (isNull(entry.value)) {
    return new LocatedError(
      'STEP_INVALID',
      second.keyRange,
      `Step has unexpected additional keys: ${others.join(', ')}`,
      { hint: `Inputs of ${entry.key} are indented further than its name: put two more blanks before each.` },
    );
  }
  return new LocatedError(
    'STEP_INVALID',
    second.keyRange,
    `Step has unexpected additional keys: ${others.join(', ')}`,
    {
      hint: 'Each step is an item of its own: begin its line with "- ".',
    },
  );
}

function warnOfDoubleIds(steps: readonly Step[], warnings: LocatedWarning[]): void {
  const seen = new Map<string, Positioned<string>>();
  for (const { id } of steps) {
    if (id === undefined) continue;
    const first = seen.get(id.value);
    if (first) {
      const message = `the id ${id.value} is that of another step, in line ${first.range.start.line}; placeholders after this one mean this one`;
      warnings.push({ range: id.range, message });
    }
    seen.set(id.value, id);
  }
}

function invalid(node: YamlNode, reason: string, hint?: string): LocatedError {
  return new LocatedError('STEP_INVALID', node.range, reason, { hint });
}
