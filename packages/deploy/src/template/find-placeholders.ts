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
  return scalarsOf(node)
    .filter(isTemplate)
    .flatMap((scalar) =>
      parseTemplate(scalar.value).placeholders.map((placeholder) => ({
        ...placeholder,
        range: placeholderRange(scalar, placeholder),
        node: scalar,
      })),
    );
}

/** What somebody who reads a resolved tree as templates would find in it, and in which scalar. */
export function placeholdersOfValue(node: YamlNode): readonly Pick<FoundPlaceholder, 'name' | 'range'>[] {
  return scalarsOf(node).flatMap(({ value, range }) =>
    typeof value === 'string' ? parseTemplate(value).placeholders.map(({ name }) => ({ name, range })) : [],
  );
}

function scalarsOf(node: YamlNode): readonly ScalarNode[] {
  if (node.kind === 'scalar') return [node];
  const children = node.kind === 'sequence' ? node.items : [...node.entries.values()].map(({ value }) => value);
  return children.flatMap(scalarsOf);
}

/** True for written text with something that may be a placeholder. What came out of one never is. */
export function isTemplate(node: ScalarNode): node is ScalarNode & { readonly value: string } {
  return node.origin === 'written' && typeof node.value === 'string' && node.value.includes('{{');
}
