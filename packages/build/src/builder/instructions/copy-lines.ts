import { checkedLine } from './checked-line.ts';
import { checkText, type DockerfileText, escapeExpansion, flag, jsonArray, rawText } from './dockerfile-text.ts';
import { instructionError } from './instruction-error.ts';

/** Flags of COPY (https://docs.docker.com/reference/dockerfile/#copy). */
export interface CopyOptions {
  /** `app`, `app:staff`, `1000:1000`. */
  readonly chown?: DockerfileText;
  /** Octal (`755`, `0644`) or symbolic (`u=rwX,go=rX`). */
  readonly chmod?: string;
  /** Does not depend on the layers below. */
  readonly link?: boolean;
  /** Keeps the parent directories of each source. */
  readonly parents?: boolean;
  /** Patterns of what is left out. */
  readonly exclude?: readonly string[];
}

/** A stage, an image or a named context, and what of it. */
export interface CopyFromOptions extends CopyOptions {
  readonly from: string;
}

/**
 * A COPY of files by their names: nothing in a source is a wildcard or a variable. Names that are plain stand as they are,
 * others make the line a JSON array.
 *
 * @throws BoxwrightError INSTRUCTION_INVALID
 */
export function copyLine(
  sources: readonly string[],
  destination: DockerfileText,
  options: CopyOptions & Partial<CopyFromOptions> = {},
): string {
  if (sources.length === 0) throw instructionError('COPY', '', 'there is no source');
  for (const source of [...sources, rawText(destination)]) {
    if (source === '') throw instructionError('COPY', source, 'a source or the destination is empty');
  }
  checkText('COPY', rawText(destination));
  const target = escapeExpansion(destination);
  if (sources.length > 1 && !/\/$|^\.$/.test(rawText(destination)) && options.parents !== true) {
    throw instructionError('COPY', rawText(destination), 'the destination of several sources must end with a slash');
  }
  return checkedLine('copy', ['COPY', ...copyFlags(options), wordsOf(sources.map(literalSource), target)].join(' '));
}

/**
 * A COPY as `ImageBuilder.copy` writes it: plain names as they are; the destination is Dockerfile text, in which variables
 * are replaced.
 *
 * @param isPattern the source may have wildcards
 * @throws BoxwrightError INSTRUCTION_INVALID
 */
export function copyContextLine(
  source: string,
  destination: string,
  options: CopyOptions = {},
  isPattern = false,
): string {
  checkText('COPY', destination);
  checkText('COPY', source);
  if (source === '' || destination === '') throw instructionError('COPY', '', 'a source or the destination is empty');
  const word = isPattern ? escapeExpansion(source) : literalSource(source);
  const target = destination.includes('$') ? destination : destination.replace(/(\/)\/+|(?<=^|\/)\.\/(?=.)/g, '$1');
  return checkedLine('copy', ['COPY', ...copyFlags(options), wordsOf([word], target)].join(' '));
}

/** Blanks, or a first character that means something, need the JSON form. */
function wordsOf(sources: readonly string[], destination: string): string {
  const words = [...sources, destination];
  const isPlain =
    words.every((word) => /^\S+$/u.test(word)) && !words.at(-1)?.endsWith('\\') && !/^(?:--|\[)/.test(words[0] ?? '');
  return isPlain ? words.join(' ') : jsonArray('COPY', words);
}

/** A file name as a word that stands for it alone: what is a wildcard is put into brackets. */
function literalSource(name: string): string {
  checkText('COPY', name);
  return escapeExpansion(name.replace(/[*?[\\]/g, (wild) => (wild === '\\' ? '[\\\\]' : `[${wild}]`)));
}

function copyFlags(options: CopyOptions & Partial<CopyFromOptions>): readonly string[] {
  const { from, chown, chmod, link = false, parents = false, exclude = [] } = options;
  if (from !== undefined && !/^[^\s$"'\\]+$/u.test(from)) {
    throw instructionError('COPY', from, 'it is no stage, image or named context', '--from takes no variables.');
  }
  if (chmod !== undefined && !modePattern.test(chmod)) {
    throw instructionError('COPY', chmod, 'it is no mode', 'Write it as 755 or u=rwX,go=rX.');
  }
  return [
    ...(from === undefined ? [] : [flag('COPY', 'from', from)]),
    ...(chown === undefined ? [] : [flag('COPY', 'chown', escapeExpansion(chown))]),
    ...(chmod === undefined ? [] : [flag('COPY', 'chmod', chmod)]),
    ...(link ? ['--link'] : []),
    ...(parents ? ['--parents'] : []),
    ...exclude.map((pattern) => flag('COPY', 'exclude', pattern)),
  ];
}

const modePattern = /^(?:[0-7]{1,4}|[ugoa]*[-+=][rwxXst]*(?:,[ugoa]*[-+=][rwxXst]*)*)$/;
