import { closestMatch } from '@boxwright/errors';
import {
  describeNode,
  isNull,
  LocatedError,
  type MappingNode,
  type PlainValue,
  plainValue,
  type YamlNode,
} from '../yaml/index.ts';
import type { SourceRange } from '../yaml/source.ts';

/**
 * The inputs of one step as they stand in the file, read by name and type. Null is as good as absent, as it is for
 * Prefect's steps.
 *
 * All reading throws LocatedError STEP_INPUT_INVALID, with the input's name as `details.input`.
 */
export class StepInputs {
  readonly #step: string;
  readonly #node: MappingNode;
  readonly #untold: ReadonlySet<string>;

  /**
   * @param step what the step is called in messages
   * @param untold inputs that are there and cannot be read yet: where one is required, any text stands for it
   */
  constructor(step: string, node: MappingNode, untold: ReadonlySet<string> = new Set()) {
    this.#step = step;
    this.#node = node;
    this.#untold = untold;
  }

  /** Where the inputs stand. */
  get range(): SourceRange {
    return this.#node.range;
  }

  get names(): readonly string[] {
    return [...this.#node.entries.keys()];
  }

  /** Refuses every input that is not among the known ones, naming the nearest. */
  refuseUnknown(known: readonly string[]): void {
    for (const { key, keyRange } of this.#node.entries.values()) {
      if (known.includes(key)) continue;
      const nearest = closestMatch(key, known);
      const hint = nearest === undefined ? `It has ${known.join(', ')}.` : `Did you mean ${nearest}?`;
      throw this.#error(keyRange, key, `${this.#step} has no input ${key}`, hint);
    }
  }

  has(name: string): boolean {
    return this.node(name) !== undefined;
  }

  /** The input with its place; undefined when it is absent or null. */
  node(name: string): YamlNode | undefined {
    const value = this.#node.entries.get(name)?.value;
    return isNull(value) ? undefined : value;
  }

  value(name: string): PlainValue | undefined {
    const node = this.node(name);
    return node === undefined ? undefined : plainValue(node);
  }

  /** Text. What YAML reads as a number is taken as it is written: the tag `1.10` is not 1.1. */
  text(name: string): string | undefined {
    const node = this.node(name);
    return node === undefined ? undefined : this.#textOf(name, node, 'text');
  }

  requiredText(name: string): string {
    const text = this.text(name);
    if (text !== undefined) return text;
    if (this.#untold.has(name)) return 'untold';
    throw this.missing(name);
  }

  boolean(name: string): boolean | undefined {
    const node = this.node(name);
    if (node === undefined) return undefined;
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
    // What Prefect's YAML 1.1 reads as booleans.
    const text = node.kind === 'scalar' && node.plain ? node.text.toLowerCase() : '';
    if (text === 'yes' || text === 'on') return true;
    if (text === 'no' || text === 'off') return false;
    throw this.wrongType(name, 'true or false', node);
  }

  number(name: string): number | undefined {
    const node = this.node(name);
    if (node === undefined) return undefined;
    if (node.kind === 'scalar' && typeof node.value === 'number') return node.value;
    if (node.kind === 'scalar' && typeof node.value === 'string' && /^[0-9]+$/.test(node.value))
      return Number(node.value);
    throw this.wrongType(name, 'a number', node);
  }

  /** A list of texts. One text is refused: whether it is one item or several nobody can tell. */
  texts(name: string): readonly string[] | undefined {
    const node = this.node(name);
    if (node === undefined) return undefined;
    if (node.kind !== 'sequence') {
      throw this.wrongType(name, 'a list of texts', node, `Write '${name}: [one, two]'.`);
    }
    return node.items.map((item) => this.#textOf(name, item, 'a list of texts'));
  }

  /** One text, or a list of them. */
  textOrTexts(name: string): readonly string[] | undefined {
    const node = this.node(name);
    return node?.kind === 'scalar' ? [this.#textOf(name, node, 'text, or a list of texts')] : this.texts(name);
  }

  mapping(name: string): MappingNode | undefined {
    const node = this.node(name);
    if (node === undefined || node.kind === 'mapping') return node;
    throw this.wrongType(name, 'a mapping', node);
  }

  /** A mapping of names to texts; what is null stays out. */
  textMap(name: string): ReadonlyMap<string, string> | undefined {
    const mapping = this.mapping(name);
    if (mapping === undefined) return undefined;
    const texts = new Map<string, string>();
    for (const { key, value } of mapping.entries.values()) {
      if (!isNull(value)) texts.set(key, this.#textOf(`${name}.${key}`, value, 'text'));
    }
    return texts;
  }

  missing(name: string): LocatedError {
    return this.#error(
      this.#node.range,
      name,
      `${this.#step} needs ${name}`,
      `Add a line '${name}: …' to the step, indented like its other inputs.`,
    );
  }

  invalid(name: string, why: string, hint?: string): LocatedError {
    return this.#error(this.#rangeOf(name), name, `${name} ${why}`, hint);
  }

  /** It is known, and cannot be followed. */
  unsupported(name: string, hint: string): LocatedError {
    return new LocatedError('STEP_INPUT_UNSUPPORTED', this.#rangeOf(name), `${name} is not supported`, {
      hint,
      details: { step: this.#step, input: name },
    });
  }

  wrongType(name: string, wanted: string, node: YamlNode, hint?: string): LocatedError {
    return this.#error(node.range, name, `${name} must be ${wanted}, not ${describeNode(node)}`, hint);
  }

  #textOf(name: string, node: YamlNode, wanted: string): string {
    if (node.kind === 'scalar' && typeof node.value === 'string') return node.value;
    if (node.kind === 'scalar' && node.value !== null) return node.text;
    throw this.wrongType(name, wanted, node);
  }

  #rangeOf(name: string): SourceRange {
    return this.#node.entries.get(name)?.value.range ?? this.#node.range;
  }

  #error(range: SourceRange, input: string, reason: string, hint: string | undefined): LocatedError {
    return new LocatedError('STEP_INPUT_INVALID', range, reason, { hint, details: { step: this.#step, input } });
  }
}
