import type { ContainerConfig, HistoryEntry } from '@boxwright/oci';
import { type HistoryInstruction, type InstructionKind, isInstructionKind } from './instruction.ts';
import { type InstructionScope, parseInstruction } from './parse-instruction.ts';
import { type HistoryWriter, isClassicForm, namedWriter, noOperation } from './writer.ts';

/** A history row that has been read. */
export interface ReadRow {
  readonly writer: HistoryWriter;
  /** Absent when the row records no Dockerfile instruction, or none that can be recognised. */
  readonly instruction?: HistoryInstruction;
  /** The row's `created_by` as it is shown: runs of white space are one blank. */
  readonly text: string;
}

/** What {@link readHistory} takes from a config beside the history, to tell apart what rows do not. */
export interface HistoryContext {
  readonly config?: Pick<ContainerConfig, 'Env' | 'Labels' | 'Cmd' | 'Shell'>;
  /** The config's `docker_version`: a Docker Engine, not BuildKit, wrote the config. */
  readonly dockerVersion?: string;
}

/**
 * Reads the rows of a history, oldest first: which tool wrote each, and which instruction it records. Rows are read
 * together because they explain each other: ARG rows say what a RUN row repeats, SHELL rows what commands were given to.
 * Linear in the length of the history; nothing in it makes it fail.
 */
export function readHistory(history: readonly HistoryEntry[], context: HistoryContext = {}): ReadRow[] {
  const writers = writersOf(history, context);
  const reader = new RowReader(context);
  return history.map((entry, index) => reader.read(entry, writers[index] ?? 'unknown'));
}

/** Runs of white space as one blank, none at the ends: how image pages and `docker history` print an instruction. */
export function collapseBlanks(text: string): string {
  return text.replace(/[\t\n\v\f\r ]+/g, ' ').trim();
}

const defaultShell = '/bin/sh -c';

/** Reads rows and remembers what they set. */
class RowReader {
  readonly #variables = new Map<string, string>();
  readonly #buildArguments = new Map<string, string>();
  readonly #configVariables: ReadonlyMap<string, string>;
  readonly #configLabels: ReadonlyMap<string, string>;
  readonly #configShell: readonly string[];
  #shell = defaultShell;

  constructor({ config }: HistoryContext) {
    this.#configVariables = new Map((config?.Env ?? []).map(splitVariable));
    this.#configLabels = config?.Labels ?? new Map();
    this.#configShell = config?.Shell ?? [];
  }

  read(entry: HistoryEntry, writer: HistoryWriter): ReadRow {
    const createdBy = entry.createdBy ?? '';
    const text = collapseBlanks(createdBy);
    const found = this.#find(createdBy, writer);
    if (found === undefined) return { writer, text };
    const instruction = this.#refine(parseInstruction(found.kind, found.rest, this.#scope(writer)));
    this.#remember(instruction);
    return { writer, instruction, text };
  }

  /** The keyword of a row, and what stands behind it. */
  #find(createdBy: string, writer: HistoryWriter): { kind: InstructionKind; rest: string } | undefined {
    if (writer === 'debuerreotype' || writer === 'docker-commit' || writer === 'docker-import') return undefined;
    const body = noOperation(createdBy)?.instruction ?? createdBy.replace(/ # buildkit$/, '');
    const [, word = ''] = /^\s*([A-Za-z]{3,11})(?:\s|$)/.exec(body) ?? [];
    // kaniko keeps the Dockerfile's letters.
    const kind = writer === 'kaniko' ? word.toUpperCase() : word;
    if (isInstructionKind(kind)) return { kind, rest: body.trimStart().slice(word.length).trim() };
    const isRun = isClassicForm(createdBy) || createdBy.startsWith(`${this.#shell} `) || writer === 'classic';
    return isRun && createdBy !== '' ? { kind: 'RUN', rest: createdBy } : undefined;
  }

  #scope(writer: HistoryWriter): InstructionScope {
    return {
      shell: this.#shell,
      buildArguments: this.#buildArguments,
      variables: this.#variables,
      sourceText: writer === 'buildah' || writer === 'kaniko',
      configVariables: this.#configVariables,
      configLabels: this.#configLabels,
    };
  }

  /** SHELL rows do not tell blanks in words from those between them; the config does, for the last one. */
  #refine(instruction: HistoryInstruction): HistoryInstruction {
    if (instruction.kind !== 'SHELL' || instruction.exact) return instruction;
    const sameWords = this.#configShell.join(' ') === instruction.words.join(' ');
    return sameWords ? { ...instruction, words: this.#configShell, exact: true } : instruction;
  }

  #remember(instruction: HistoryInstruction): void {
    if (instruction.kind === 'SHELL' && instruction.words.length > 0) this.#shell = instruction.words.join(' ');
    if (instruction.kind !== 'ENV' && instruction.kind !== 'ARG') return;
    const target = instruction.kind === 'ENV' ? this.#variables : this.#buildArguments;
    for (const { name, value } of instruction.pairs) {
      if (value === undefined) target.delete(name);
      else target.set(name, value);
    }
  }
}

function splitVariable(variable: string): readonly [string, string] {
  const equals = variable.indexOf('=');
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
}

/** The writer of each row. What the row itself leaves open, its neighbours and the config decide. */
function writersOf(history: readonly HistoryEntry[], context: HistoryContext): HistoryWriter[] {
  const engines = classicOrBuildah(history, context);
  return history.map((entry, index) => {
    const named = namedWriter(entry);
    if (named !== undefined) return named;
    const createdBy = entry.createdBy ?? '';
    if (isCommit(entry, index === history.length - 1, context)) return 'docker-commit';
    if (isClassicForm(createdBy)) return engines[index] ?? 'classic';
    // The exec form of RUN, without ARG.
    const [word = ''] = createdBy.split(/\s/, 1);
    const isExecForm = context.dockerVersion !== undefined && createdBy !== '' && !isInstructionKind(word);
    return isExecForm ? 'classic' : 'unknown';
  });
}

/** Docker and buildah write the same form, but buildah one blank after `#(nop)` where Docker writes two. */
function classicOrBuildah(history: readonly HistoryEntry[], context: HistoryContext): (HistoryWriter | undefined)[] {
  const decided = history.map((entry): HistoryWriter | undefined => {
    if (/^FROM \S/.test(entry.comment ?? '')) return 'buildah';
    const found = noOperation(entry.createdBy ?? '');
    if (found === undefined) return undefined;
    if (found.blanks > 1) return 'classic';
    return /^(?:COPY|ADD|WORKDIR)\b/.test(found.instruction) ? undefined : 'buildah';
  });
  const hasLabel = context.config?.Labels.has('io.buildah.version') === true;
  let next: HistoryWriter | undefined;
  for (let index = decided.length - 1; index >= 0; index--) {
    next = decided[index] ?? next;
    decided[index] = next;
  }
  let previous: HistoryWriter = hasLabel ? 'buildah' : 'classic';
  return decided.map((writer) => (previous = writer ?? previous));
}

/** What a container that was committed ran: often just a shell. Its command becomes the image's. */
function isCommit(entry: HistoryEntry, isLast: boolean, context: HistoryContext): boolean {
  const createdBy = entry.createdBy ?? '';
  if (entry.emptyLayer === true || isClassicForm(createdBy)) return false;
  if (/^(?:\/(?:usr\/)?bin\/)?(?:ba|da|a|z|k)?sh$/.test(createdBy)) return true;
  if (context.dockerVersion === undefined) return false;
  if ((entry.comment ?? '') !== '') return true;
  return isLast && createdBy === (context.config?.Cmd ?? []).join(' ');
}
