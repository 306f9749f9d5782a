import type { CopyInstruction } from '../instructions/index.ts';
import type { CopyStep, Loss } from './model.ts';
import { escapeWord, jsonWords } from './quote.ts';
import { firstThatReadsBack, sameWords } from './read-back.ts';
import type { WrittenInstruction } from './write-run.ts';

/** A heredoc as BuildKit writes it into the row: without its content. */
const inlinePattern = /^<<-?["']?([A-Za-z_][\w.-]*)["']?$/;

/** What names a source that is not known: one per COPY, so that no two of them can be mixed up. */
export interface LostNames {
  /** `lost-1`, `lost-2` … */
  next(): string;
}

/** Takes a COPY or ADD apart, and finds out what its row has lost. */
export function copyStep(
  instruction: CopyInstruction,
  workingDir: string,
  names: LostNames,
): { readonly step: CopyStep; readonly losses: readonly Loss[] } {
  const { kind, destination } = instruction;
  const losses: Loss[] = [];
  // kaniko keeps the flag.
  const written = instruction.flags.find((flag) => flag.startsWith('--from='))?.slice('--from='.length);
  const flags = instruction.flags.filter((flag) => !flag.startsWith('--from='));
  let sources = instruction.sources;
  if (instruction.contentId !== undefined) {
    sources = [contentName(instruction.contentId)];
    losses.push({ kind: 'copy-sources', detail: instruction.contentId });
  }
  const inline = sources.flatMap((source) => {
    const name = inlinePattern.exec(source)?.[1];
    return name === undefined ? [] : [{ name }];
  });
  sources = sources.filter((source) => !inlinePattern.test(source));
  for (const { name } of inline) losses.push({ kind: 'inline-content', detail: name });
  const isElsewhere = kind === 'COPY' && (written !== undefined || sources.some((source) => source.startsWith('/')));
  const from = isElsewhere ? names.next() : undefined;
  if (from !== undefined) {
    losses.push({ kind: 'copy-from', ...(written === undefined ? {} : { detail: written }) });
  }
  return {
    step: { kind, flags, sources, destination, workingDir, inline, ...(from === undefined ? {} : { from }) },
    losses,
  };
}

/** `file-0123456789ab` for the `file:HASH` of the classic builder. */
function contentName(contentId: string): string {
  const [kind = 'file', hash = ''] = contentId.split(':');
  return `${kind}-${hash.slice(0, 12)}`;
}

/** COPY or ADD as Dockerfile text, which gives the same row again; undefined when there is none. */
export function copyText(step: CopyStep): string | undefined {
  const { kind, flags, sources, destination, from, inline } = step;
  const words = [...(from === undefined ? [] : [`--from=${from}`]), ...flags.map(escapeFlag)];
  const escaped = [...sources.map(escapeWord), ...inline.map(({ name }) => `<<"${name}"`), escapeWord(destination)];
  const bodies = inline.map(({ name, content }) => `\n${content ?? ''}${name}`);
  const texts = [`${[kind, ...words, ...escaped].join(' ')}${bodies.join('')}`];
  if (inline.length === 0) texts.push([kind, ...words, jsonWords(escaped)].join(' '));
  return firstThatReadsBack(texts, (instruction) => {
    if (instruction.kind !== 'copy' && instruction.kind !== 'add') return false;
    return (
      instruction.kind.toUpperCase() === kind &&
      instruction.dest === destination &&
      sameWords(instruction.sources, sources) &&
      sameWords(
        instruction.inline.map((file) => file.name),
        inline.map(({ name }) => name),
      ) &&
      instruction.inline.every((file, index) => file.content === (inline[index]?.content ?? '')) &&
      (instruction.kind === 'add' || instruction.from === from)
    );
  });
}

/** `--chown=a:b`: what stands behind the equals sign is expanded. */
function escapeFlag(flag: string): string {
  const equals = flag.indexOf('=');
  return equals < 0 ? flag : flag.slice(0, equals + 1) + escapeWord(flag.slice(equals + 1));
}

/** The step's text with its losses. */
export function writeCopy(step: CopyStep, losses: readonly Loss[]): WrittenInstruction {
  const text = copyText(step);
  if (text !== undefined) return { text, losses };
  const detail = [step.kind, ...step.flags, ...step.sources, step.destination].join(' ');
  return { text: '', losses: [{ kind: 'row', detail }] };
}
