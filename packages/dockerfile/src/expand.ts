import { DockerfileError } from './dockerfile-error.ts';
import type {
  ArgDeclaration,
  Dockerfile,
  FromInstruction,
  InlineFile,
  Instruction,
  KeyValuePair,
  SourceRange,
} from './instructions.ts';
import { MountError, parseRunMount } from './run-mount.ts';
import { expandWord, type VariableLookup, WordError, type WordOptions } from './shell-word.ts';
import { createSource, type Source } from './source.ts';

/** How {@link expandInstruction} expands. */
export interface ExpandOptions {
  /** The escape directive's character. Default: that of `dockerfile`, else a backslash. */
  readonly escape?: '\\' | '`';
  /** Where the instruction comes from: gives errors their file and frame. */
  readonly dockerfile?: Dockerfile;
  /** Called for each variable that is used and not set, for the rule UndefinedVar. May be called twice for one name. */
  readonly onUnset?: (name: string) => void;
}

/**
 * Expands the variables of the fields in which BuildKit expands them
 * (https://docs.docker.com/reference/dockerfile/#environment-replacement) and removes quotes there; the rest is returned
 * as it is: the commands of RUN, CMD, ENTRYPOINT, HEALTHCHECK and SHELL belong to the shell, a trigger of ONBUILD is
 * expanded when it runs, `--from` of COPY knows no variables.
 *
 * All pairs of one ENV or LABEL see the values from before the instruction; the names of one ARG see those to their left
 * (use `resolveArgs` where build arguments count). EXPOSE splits what it expands into words.
 *
 * @throws {DockerfileError} DOCKERFILE_EXPANSION, DOCKERFILE_TOO_LARGE, or DOCKERFILE_SYNTAX for a `--mount` that is wrong.
 */
export function expandInstruction<T extends Instruction | FromInstruction>(
  instruction: T,
  lookup: VariableLookup,
  options: ExpandOptions = {},
): T {
  const expander = new Expander(instruction, lookup, options);
  // Every branch returns the kind it was given.
  return expand(instruction, expander) as T;
}

function expand(instruction: Instruction | FromInstruction, expander: Expander): Instruction | FromInstruction {
  const word = (text: string): string => expander.word(text);
  switch (instruction.kind) {
    case 'from':
      return {
        ...instruction,
        image: word(instruction.image),
        ...(instruction.platform === undefined ? {} : { platform: word(instruction.platform) }),
      };
    case 'copy':
    case 'add':
      return {
        ...instruction,
        sources: instruction.sources.map(word),
        inline: instruction.inline.map((file) => expander.inlineFile(file)),
        dest: word(instruction.dest),
        ...(instruction.chown === undefined ? {} : { chown: word(instruction.chown) }),
        ...(instruction.chmod === undefined ? {} : { chmod: word(instruction.chmod) }),
        ...(instruction.kind === 'add' && instruction.checksum !== undefined
          ? { checksum: word(instruction.checksum) }
          : {}),
      };
    case 'env':
    case 'label':
      return { ...instruction, pairs: instruction.pairs.map((pair) => expander.pair(pair)) };
    case 'arg':
      return { ...instruction, args: expander.declarations(instruction.args) };
    case 'workdir':
      return { ...instruction, path: word(instruction.path) };
    case 'user':
      return { ...instruction, user: word(instruction.user) };
    case 'stopsignal':
      return { ...instruction, signal: word(instruction.signal) };
    case 'volume':
      return { ...instruction, paths: instruction.paths.map((path) => expander.volume(path)) };
    case 'expose':
      return { ...instruction, ports: instruction.ports.flatMap((port) => expander.words(port)) };
    case 'run':
      return { ...instruction, mounts: instruction.mountTexts.map((text) => expander.mount(text)) };
    case 'cmd':
    case 'entrypoint':
    case 'shell':
    case 'healthcheck':
    case 'onbuild':
    case 'maintainer':
      return instruction;
    default:
      throw new TypeError('unknown kind of instruction', { cause: instruction satisfies never });
  }
}

/** Expands the parts of one instruction and turns faults into errors that show them. */
class Expander {
  readonly #instruction: Instruction | FromInstruction;
  readonly #lookup: VariableLookup;
  readonly #options: ExpandOptions;
  readonly #words: WordOptions;

  constructor(instruction: Instruction | FromInstruction, lookup: VariableLookup, options: ExpandOptions) {
    this.#instruction = instruction;
    this.#lookup = lookup;
    this.#options = options;
    this.#words = { escape: options.escape ?? options.dockerfile?.directives.escape ?? '\\' };
  }

  word(text: string): string {
    return this.#expand(text, this.#lookup, this.#words).text;
  }

  /** The words of EXPOSE. BuildKit does not report variables that are not set here. */
  words(text: string): readonly string[] {
    return this.#expand(text, this.#lookup, this.#words, false).words;
  }

  pair(pair: KeyValuePair): KeyValuePair {
    return { key: this.word(pair.key), value: this.word(pair.value) };
  }

  volume(text: string): string {
    const path = this.word(text);
    if (path === '') throw this.#fault('DOCKERFILE_SYNTAX', 'the path of a VOLUME is empty after expansion', text);
    return path;
  }

  /** The body of a heredoc: quotes are text, and the escape character is the backslash whatever the directive says. */
  inlineFile(file: InlineFile): InlineFile {
    if (!file.expand) return file;
    return { ...file, content: this.#expand(file.content, this.#lookup, { skipQuotes: true }).text };
  }

  declarations(args: readonly ArgDeclaration[]): ArgDeclaration[] {
    const seen = new Map<string, string>();
    return args.map(({ key, value }) => {
      if (value === undefined) return { key };
      const expanded = this.#expand(value, (name) => seen.get(name) ?? this.#lookup(name), this.#words).text;
      seen.set(key, expanded);
      return { key, value: expanded };
    });
  }

  mount(text: string): ReturnType<typeof parseRunMount> {
    try {
      return parseRunMount(text, (value) => this.word(value));
    } catch (error) {
      if (error instanceof MountError) throw this.#fault('DOCKERFILE_SYNTAX', error.message, `--mount=${text}`);
      throw error;
    }
  }

  #expand(text: string, lookup: VariableLookup, options: WordOptions, report = true): ReturnType<typeof expandWord> {
    try {
      const result = expandWord(text, lookup, options);
      if (report && this.#options.onUnset) result.unmatched.forEach(this.#options.onUnset);
      return result;
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      const code = error.tooLarge ? 'DOCKERFILE_TOO_LARGE' : 'DOCKERFILE_EXPANSION';
      const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text;
      throw this.#fault(code, `cannot expand ${JSON.stringify(shown)}: ${error.message}`, text, error);
    }
  }

  #fault(
    code: 'DOCKERFILE_EXPANSION' | 'DOCKERFILE_TOO_LARGE' | 'DOCKERFILE_SYNTAX',
    reason: string,
    text: string,
    cause?: unknown,
  ): DockerfileError {
    return instructionFault(this.#instruction, reason, { code, text, cause, dockerfile: this.#options.dockerfile });
  }
}

/** What {@link instructionFault} knows beside the reason. */
export interface InstructionFaultOptions {
  readonly code: string;
  /** The piece of the instruction's text to mark; the instruction word when it is not found. */
  readonly text?: string;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** More machine-readable facts. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly dockerfile?: Dockerfile | undefined;
}

/** An error about an instruction, with place and frame: for whoever finds a fault later than the parser. */
export function instructionFault(
  instruction: Instruction | FromInstruction,
  reason: string,
  options: InstructionFaultOptions,
): DockerfileError {
  const source =
    options.dockerfile === undefined
      ? detachedSource(instruction)
      : createSource(options.dockerfile.file, options.dockerfile.text);
  const { code, hint, cause, details } = options;
  return new DockerfileError(code, source, locate(instruction, options.text ?? ''), reason, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
    ...(details === undefined ? {} : { details }),
  });
}

/** The instruction's own lines at their place in an otherwise empty file. */
function detachedSource(instruction: Instruction | FromInstruction): Source {
  const { line, column } = instruction.range.start;
  return createSource('Dockerfile', '\n'.repeat(line - 1) + ' '.repeat(column - 1) + instruction.original);
}

/** Where a piece of text stands in the instruction; its first line when it spans several, its word when it is not there. */
function locate(instruction: Instruction | FromInstruction, text: string): SourceRange {
  const { original, range, name } = instruction;
  const at = text === '' ? -1 : original.indexOf(text, name.length);
  const length = at === -1 ? name.length : text.length;
  const before = original.slice(0, Math.max(0, at)).split('\n');
  const lastLine = before.at(-1) ?? '';
  const line = range.start.line + before.length - 1;
  const column = before.length === 1 ? range.start.column + lastLine.length : lastLine.length + 1;
  return { start: { line, column }, end: { line, column: column + length } };
}
