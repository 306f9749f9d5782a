import { findPlaceholders, parseTemplate } from '../template/index.ts';
import type { LocatedWarning, ScalarNode, YamlNode } from '../yaml/index.ts';
import { booleanOf, yaml11Booleans } from './check-fields.ts';

/**
 * Values that mean something else than they seem to: words and numbers that Prefect, whose YAML is 1.1, reads in another way, and text in
 * braces that is no placeholder. Each once, however often an alias repeats it.
 */
export function findSurprises(node: YamlNode): LocatedWarning[] {
  const warnings = new Map<string, LocatedWarning>();
  for (const scalar of scalars(node)) {
    const warning = surprise(scalar);
    if (warning) warnings.set(`${scalar.range.start.line}:${scalar.range.start.column}`, warning);
  }
  return [...warnings.values()];
}

function* scalars(node: YamlNode): Generator<ScalarNode> {
  if (node.kind === 'scalar') yield node;
  else if (node.kind === 'sequence') for (const item of node.items) yield* scalars(item);
  else for (const { value } of node.entries.values()) yield* scalars(value);
}

function surprise(node: ScalarNode): LocatedWarning | undefined {
  const { text, range } = node;
  if (node.plain && typeof node.value === 'string' && yaml11Booleans.has(text.toLowerCase())) {
    const meant = String(booleanOf(node));
    const message = `${text} is text in YAML 1.2, except where true or false is wanted; Prefect reads it as ${meant}`;
    return { range, message, hint: `Write ${meant}, or "${text}" if text is meant.` };
  }
  if (node.plain && typeof node.value === 'number' && /^[-+]?0[0-7]+$/.test(text)) {
    const message = `${text} is the number ${node.value} in YAML 1.2; Prefect reads it as octal`;
    return { range, message, hint: `Put quotes around it if text is meant: "${text}".` };
  }
  const near = nearPlaceholder(node);
  if (near === undefined) return undefined;
  const message = `${near} is no placeholder and stays as it is`;
  return { range, message, hint: 'Between the braces there is one name: letters, digits and . - _ [ ] $' };
}

/** `{{ build.tag | lower }}`, `{{ $A:-b }}`; not `{{json .}}`, which other programs read. */
function nearPlaceholder(node: ScalarNode): string | undefined {
  if (typeof node.value !== 'string' || !node.value.includes('{{')) return undefined;
  const found = new Set(findPlaceholders(node).map(({ text }) => text));
  for (const [text, inner = ''] of node.value.matchAll(/\{\{([^{}\n]{1,200})\}\}/g)) {
    if (found.has(text) || parseTemplate(text).placeholders.length > 0) continue;
    if (/^\s*(?:\$|prefect\.)/.test(inner) || /^\s*[\w-]+\.[\w.-]+\s*[|:]/.test(inner)) return text;
  }
  return undefined;
}
