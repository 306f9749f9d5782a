import type { ScalarNode, SourceRange, YamlNode } from '../yaml/index.ts';
import { placeholderRange } from './placeholder-range.ts';
import { type Placeholder, parseTemplate } from './template.ts';

/** A placeholder of a tree. */
export interface FoundPlaceholder extends Placeholder {
  readonly range: SourceRange;
  readonly node: ScalarNode;
}

/** All placeholders in the values of a tree, in its order. Keys are never templates. */
export function findPlaceholders(node: YamlNode): FoundPlaceholder[] {
  const found: FoundPlaceholder[] = [];
  collect(node, found);
  return found;
}

function collect(node: YamlNode, into: FoundPlaceholder[]): void {
  if (node.kind === 'sequence') for (const item of node.items) collect(item, into);
  else if (node.kind === 'mapping') for (const { value } of node.entries.values()) collect(value, into);
  else if (isTemplate(node)) {
    for (const placeholder of parseTemplate(node.value).placeholders) {
      into.push({ ...placeholder, range: placeholderRange(node, placeholder), node });
    }
  }
}

/** True for written text with something that may be a placeholder. What came out of one never is. */
export function isTemplate(node: ScalarNode): node is ScalarNode & { readonly value: string } {
  return node.origin === 'written' && typeof node.value === 'string' && node.value.includes('{{');
}
