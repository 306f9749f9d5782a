import { type BoxwrightError, closestMatch, isBoxwrightError } from '@boxwright/errors';
import {
  isPlainObject,
  LocatedError,
  type MappingEntry,
  mappingNode,
  type PlainValue,
  plainValue,
  type ScalarNode,
  type SourceRange,
  scalarNode,
  sequenceNode,
  toPlainValue,
  valueNode,
  type YamlNode,
} from '../yaml/index.ts';
import { type FoundPlaceholder, findPlaceholders, isTemplate, placeholdersOfValue } from './find-placeholders.ts';
import type { Lookup, TemplateResolver } from './lookup.ts';
import { placeholderRange } from './placeholder-range.ts';
import { pythonText } from './python-text.ts';
import type { Reference } from './reference.ts';
import { type Placeholder, parseTemplate } from './template.ts';

/** A resolved text may have as many characters. */
const maxText = 1024 * 1024;

/** How a tree is resolved. */
export interface ResolveOptions {
  /** Called with each text that must not be shown, before the tree is given out. */
  readonly onSecret?: ((secret: string) => void) | undefined;
  /**
   * Somebody reads the result as templates once more, as workers of Prefect do with pull steps and job variables: values
   * that would bring a placeholder into it are refused, as nobody could tell it from a written one. Default false.
   */
  readonly isReadAgain?: boolean | undefined;
}

/**
 * Puts values in the place of all placeholders of a tree, in one pass: what comes out of a placeholder is never read as a template again, by this
 * call or by another, so that what a command prints cannot ask for a secret. Text that is one placeholder becomes the
 * value itself, whatever its type; inside other text a value stands as Python writes it. Keys stay as they are.
 *
 * @returns the same tree with new scalars; what a placeholder gave has the place of that placeholder.
 * @throws LocatedError `TEMPLATE_UNKNOWN` for a name that nothing is known of, `TEMPLATE_INVALID` for a placeholder that names nothing, or a
 * block's list or mapping inside text; `TEMPLATE_VALUE` for a value that YAML cannot hold, or that `isReadAgain` forbids.
 */
export async function resolveNode(
  node: YamlNode,
  resolver: TemplateResolver,
  options: ResolveOptions = {},
): Promise<YamlNode> {
  const found = findPlaceholders(node);
  const answers = new Map<string, Answer>();
  // One after the other, so that of several faults the first one in the file is shown.
  for (const { name, reference, range } of found) {
    if (!answers.has(name)) answers.set(name, await answer(reference, name, range, resolver, options));
  }
  const filled = fill(node, answers);
  if (options.isReadAgain === true) refuseNewPlaceholders(filled, found, answers);
  return filled;
}

/** Like {@link resolveNode} for one text that is written at `range`. */
export async function resolveText(
  text: string,
  range: SourceRange,
  resolver: TemplateResolver,
  options: ResolveOptions = {},
): Promise<PlainValue> {
  const node = await resolveNode(scalarNode(text, range, { text, plain: false }), resolver, options);
  return plainValue(node);
}

type Answer =
  | { readonly kept: true }
  | { readonly kept: false; readonly value: PlainValue; readonly reference: Reference };

async function answer(
  reference: Reference,
  name: string,
  range: SourceRange,
  resolver: TemplateResolver,
  options: ResolveOptions,
): Promise<Answer> {
  if (reference.kind === 'invalid') throw new LocatedError('TEMPLATE_INVALID', range, reference.reason);
  const lookup = await ask(reference, resolver).catch((error: unknown) => {
    throw isBoxwrightError(error) && !(error instanceof LocatedError) ? located(error, name, range) : error;
  });
  if (lookup.kind === 'keep') return { kept: true };
  if (lookup.kind === 'missing') throw unknownName(reference, name, range, lookup);
  for (const secret of lookup.secrets ?? []) options.onSecret?.(secret);
  return { kept: false, value: toValue(lookup.value, name, range), reference };
}

async function ask(reference: Exclude<Reference, { kind: 'invalid' }>, resolver: TemplateResolver): Promise<Lookup> {
  switch (reference.kind) {
    case 'step':
      return resolver.step(reference.name, reference.path, reference);
    case 'env':
      return resolver.env(reference.name, reference);
    case 'variable':
      return resolver.variable(reference.name, reference);
    case 'block':
    default:
      return resolver.block(reference.type, reference.name, reference.path, reference);
  }
}

function toValue(value: unknown, name: string, range: SourceRange): PlainValue {
  try {
    return toPlainValue(value);
  } catch (error) {
    throw isBoxwrightError(error) ? located(error, name, range) : error;
  }
}

/** A source that failed, with the place of what was asked for. */
function located(error: BoxwrightError, name: string, range: SourceRange): LocatedError {
  const { code, message, hint, details } = error;
  return new LocatedError(code, range, `{{ ${name} }}: ${message}`, { hint, details, cause: error });
}

const kinds: Readonly<Record<Reference['kind'], string>> = {
  step: 'no step before this one has the id or the result',
  env: 'there is no environment variable',
  variable: 'there is no variable',
  block: 'there is no block',
  invalid: '',
};

function unknownName(
  reference: Exclude<Reference, { kind: 'invalid' }>,
  name: string,
  range: SourceRange,
  lookup: Lookup & { kind: 'missing' },
): LocatedError {
  const near = lookup.candidates === undefined ? undefined : closestMatch(reference.name, lookup.candidates);
  const shown = reference.kind === 'step' || reference.kind === 'env' ? reference.name : name;
  return new LocatedError('TEMPLATE_UNKNOWN', range, lookup.reason ?? `${kinds[reference.kind]} ${shown}`, {
    hint: near === undefined ? lookup.hint : `Did you mean ${near}?`,
    details: { placeholder: name, kind: reference.kind },
  });
}

/** What was kept may stand in the result, in its order, and nothing else. */
function refuseNewPlaceholders(
  filled: YamlNode,
  found: readonly FoundPlaceholder[],
  answers: ReadonlyMap<string, Answer>,
): void {
  const kept = found.filter(({ name }) => answers.get(name)?.kept === true).map(({ name }) => name);
  for (const { name, range } of placeholdersOfValue(filled)) {
    if (name === kept[0]) kept.shift();
    else {
      throw new LocatedError(
        'TEMPLATE_VALUE',
        range,
        `what is put in here holds the placeholder {{ ${name} }}, which a worker would fill in`,
        { hint: 'Write the placeholder itself here if that is meant; values must not hold any.' },
      );
    }
  }
}

function fill(node: YamlNode, answers: ReadonlyMap<string, Answer>): YamlNode {
  if (node.kind === 'sequence') {
    return sequenceNode(
      node.items.map((item) => fill(item, answers)),
      node.range,
    );
  }
  if (node.kind === 'mapping') {
    const entries = [...node.entries.values()].map(
      (entry): MappingEntry => ({ ...entry, value: fill(entry.value, answers) }),
    );
    return mappingNode(entries, node.range);
  }
  return isTemplate(node) ? fillText(node, answers) : asValue(node);
}

/** A scalar as it is, but never to be read as a template. Numbers keep how they are written (`1.10`). */
function asValue(node: ScalarNode): ScalarNode {
  return { ...node, origin: 'value' };
}

function fillText(node: ScalarNode & { readonly value: string }, answers: ReadonlyMap<string, Answer>): YamlNode {
  const template = parseTemplate(node.value);
  if (template.whole) {
    const whole = answers.get(template.whole.name);
    if (whole && !whole.kept) return valueNode(whole.value, placeholderRange(node, template.whole));
    return asValue(node);
  }
  let text = '';
  let end = 0;
  for (const placeholder of template.placeholders) {
    text += template.text.slice(end, placeholder.offset) + insertion(node, placeholder, answers);
    end = placeholder.offset + placeholder.text.length;
    if (text.length > maxText) {
      throw new LocatedError(
        'TEMPLATE_VALUE',
        node.range,
        `the text has more than ${maxText} characters once filled in`,
      );
    }
  }
  return scalarNode(text + template.text.slice(end), node.range);
}

function insertion(node: ScalarNode, placeholder: Placeholder, answers: ReadonlyMap<string, Answer>): string {
  const found = answers.get(placeholder.name);
  if (found === undefined || found.kept) return placeholder.text;
  const { value, reference } = found;
  if (reference.kind === 'block' && (isPlainObject(value) || Array.isArray(value))) {
    const what = isPlainObject(value) ? 'a mapping' : 'a list';
    throw new LocatedError(
      'TEMPLATE_INVALID',
      placeholderRange(node, placeholder),
      `the block gives ${what}, which cannot be used for inline string substitution`,
      { hint: 'Name one of its fields, or let the placeholder be the whole value.' },
    );
  }
  return pythonText(value);
}
