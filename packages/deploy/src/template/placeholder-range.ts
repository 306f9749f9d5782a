import type { ScalarNode, SourceRange } from '../yaml/index.ts';
import { offsetOf, rangeAt } from '../yaml/source.ts';
import { type Placeholder, parseTemplate } from './template.ts';

/**
 * Where a placeholder of a scalar is written. Escapes, folded lines and indentation make the text of a scalar differ from what is in the file: the
 * placeholder is found by counting, and where the counts differ (a brace written as an escape) the whole scalar is the place.
 */
export function placeholderRange(node: ScalarNode, placeholder: Placeholder): SourceRange {
  const { source, start, end } = node.range;
  const from = offsetOf(source, start);
  const written = parseTemplate(source.text.slice(from, offsetOf(source, end))).placeholders;
  const meant = parseTemplate(node.text).placeholders;
  const same = written.length === meant.length && written.every((item, index) => item.name === meant[index]?.name);
  const index = meant.findIndex((item) => item.offset === placeholder.offset);
  const found = same ? written[index] : undefined;
  if (found === undefined) return node.range;
  return rangeAt(source, from + found.offset, from + found.offset + found.text.length);
}
