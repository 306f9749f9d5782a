import { sourceFrame } from '@boxwright/errors';
import { withoutSecrets } from './secret-name.ts';
import { lineText, type SourceRange } from './source.ts';

/** The place of an error, its first line, without secrets: see {@link sourceFrame}. */
export function renderFrame({ source, start, end }: SourceRange, reason: string): string {
  return sourceFrame(
    { file: source.file, start, end, line: (number) => withoutSecrets(lineText(source, number)) },
    reason,
  );
}
