import { sourceFrame } from '@boxwright/errors';
import { lineText, type SourceRange } from './source.ts';

/** The place of an error, its first line: see {@link sourceFrame}. */
export function renderFrame({ source, start, end }: SourceRange, reason: string): string {
  return sourceFrame({ file: source.file, start, end, line: (number) => lineText(source, number) }, reason);
}
