import { parseReference, type Reference } from './reference.ts';

/** `{{ … }}` in a text. */
export interface Placeholder {
  /** With the braces, as written. */
  readonly text: string;
  /** What stands between the braces, without blanks around it. */
  readonly name: string;
  /** Offset in the template's text. */
  readonly offset: number;
  readonly reference: Reference;
}

/** A text with placeholders. */
export interface Template {
  readonly text: string;
  /** In the order of the text. */
  readonly placeholders: readonly Placeholder[];
  /** The text is one placeholder and nothing else, not even blanks: then the type of its value is kept. */
  readonly whole: Placeholder | undefined;
}

/**
 * `{{`, blanks, word characters of any script and `. - [ ] $`, blanks, `}}` (the grammar of Prefect's templates). All classes are disjoint, so
 * that no text takes more than linear time.
 */
const placeholderPattern = /\{\{\s*([\p{L}\p{N}_.\-[\]$]+)\s*\}\}/gu;

/**
 * Finds the placeholders of a text. What has other characters between the braces is no placeholder and stays as it is, and so is
 * what begins with a dot, which can name no step: `docker ps --format '{{.Names}}'`.
 */
export function parseTemplate(text: string): Template {
  const placeholders: Placeholder[] = [];
  if (text.includes('{{')) {
    for (const match of text.matchAll(placeholderPattern)) {
      const [written, name = ''] = match;
      if (!name.startsWith('.')) {
        placeholders.push({ text: written, name, offset: match.index, reference: parseReference(name) });
      }
    }
  }
  const [first] = placeholders;
  return { text, placeholders, whole: first?.text === text ? first : undefined };
}
