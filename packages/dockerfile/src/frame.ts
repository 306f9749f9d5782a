import { sourceFrame } from '@boxwright/errors';
import type { SourceRange } from './instructions.ts';
import { lineText, type Source } from './source.ts';

/** An instruction of more lines than this is cut in the middle of nowhere: the caret's line is the first. */
const maxLines = 6;

/** The place of an error, with all lines of its instruction: see {@link sourceFrame}. */
export function renderFrame(source: Source, { start, end }: SourceRange, reason: string): string {
  const line = (number: number): string => lineText(source, number - 1);
  return sourceFrame({ file: source.file, start, end, line }, reason, maxLines);
}
