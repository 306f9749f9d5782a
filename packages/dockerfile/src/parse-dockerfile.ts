import { parseCheckOptions } from './check-options.ts';
import { readDirectives } from './directives.ts';
import { DockerfileError, type DockerfileErrorCode } from './dockerfile-error.ts';
import { heredocStarts } from './heredoc.ts';
import type {
  ArgInstruction,
  Directives,
  Dockerfile,
  Heredoc,
  Instruction,
  LintWarning,
  Stage,
} from './instructions.ts';
import { parseJsonArray } from './json-array.ts';
import { maxFileSize, maxLineLength, maxStages } from './limits.ts';
import { lintDockerfile } from './lint.ts';
import {
  instructionRange,
  isBlankOrComment,
  joinedRange,
  type LogicalLine,
  rawLine,
  readLogicalLine,
} from './logical-line.ts';
import { kindOf, parseInstruction } from './parse-instruction.ts';
import { WordError } from './shell-word.ts';
import { createSource, lineEnd, lineText, type Source } from './source.ts';
import { fault, type Statement, splitStatement } from './statement.ts';

/** How {@link parseDockerfile} reads its input. */
export interface ParseOptions {
  /** Path to name in messages. Default `Dockerfile`. */
  readonly file?: string;
  /** Replaces the `# check=` directive: the value of the build argument BUILDKIT_DOCKERFILE_CHECK. */
  readonly check?: string;
}

/**
 * Parses a Dockerfile as BuildKit does (https://docs.docker.com/reference/dockerfile/): lines are joined, heredocs read,
 * instructions typed and put into stages. Nothing is expanded, and stages that no target needs are parsed like the others.
 *
 * @throws {DockerfileError} for anything that BuildKit refuses at this point, with the place and a frame.
 */
export function parseDockerfile(input: string | Uint8Array, options: ParseOptions = {}): Dockerfile {
  const file = options.file ?? 'Dockerfile';
  const { source, valid } = decode(file, input);
  if (source.text === '') throw wholeFileFault(source, 'the Dockerfile cannot be empty');
  const directives = readDirectives(source);
  const check = parseCheckOptions(options.check ?? directives.check ?? '');
  if ('reason' in check) throw wholeFileFault(source, check.reason, 'DOCKERFILE_SYNTAX');
  const warnings: LintWarning[] = [];
  const metaArgs: ArgInstruction[] = [];
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  let found = false;
  for (const statement of statements(source, directives, warnings, valid)) {
    found = true;
    const instruction = parseInstruction(statement);
    const stage = stages.at(-1);
    if (instruction.kind === 'from') {
      if (stages.length === maxStages) {
        throw fault(statement, `more than ${maxStages} stages`, undefined, { code: 'DOCKERFILE_TOO_LARGE' });
      }
      stages.push({
        index: stages.length,
        ...(instruction.as === undefined ? {} : { name: instruction.as.toLowerCase() }),
        from: instruction,
        instructions: [],
      });
    } else if (stage !== undefined) {
      stage.instructions.push(instruction);
    } else if (instruction.kind === 'arg') {
      metaArgs.push(instruction);
    } else {
      throw fault(statement, 'no build stage in current context', undefined, {
        hint: 'The first instruction must be FROM; only ARG may come before it.',
      });
    }
  }
  if (!found) throw wholeFileFault(source, 'file with no instructions');
  if (stages.length === 0) throw wholeFileFault(source, 'dockerfile contains no stages to build');
  const parsed: Dockerfile = { file, text: source.text, directives, metaArgs, stages, warnings: [] };
  return { ...parsed, warnings: lintDockerfile(parsed, warnings, check) };
}

/**
 * Parses one instruction that comes without a Dockerfile: an ONBUILD trigger of a base image's config.
 *
 * @param origin what to name in messages, such as `ONBUILD of alpine`.
 * @throws {DockerfileError} when the text is not exactly one instruction, or one that is no trigger.
 */
export function parseTrigger(text: string, origin: string): Instruction {
  const { source, valid } = decode(origin, text);
  const all = [...statements(source, readDirectives(source), [], valid)];
  const statement = all[0];
  if (statement === undefined || all.length > 1) {
    throw new DockerfileError('DOCKERFILE_SYNTAX', source, startOfFile, 'an ONBUILD trigger is one instruction');
  }
  const instruction = parseInstruction(statement);
  if (instruction.kind === 'from' || instruction.kind === 'onbuild' || instruction.kind === 'maintainer') {
    throw fault(statement, `${instruction.name} cannot be an ONBUILD trigger`);
  }
  return instruction;
}

const startOfFile = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

function wholeFileFault(
  source: Source,
  reason: string,
  code: DockerfileErrorCode = 'DOCKERFILE_EMPTY',
): DockerfileError {
  return new DockerfileError(code, source, startOfFile, reason, {
    hint: code === 'DOCKERFILE_EMPTY' ? 'A Dockerfile needs at least one FROM.' : undefined,
  });
}

/** Text without byte order mark. Bytes that are not UTF-8 are only refused where an instruction holds them (a comment may). */
function decode(file: string, input: string | Uint8Array): { source: Source; valid: boolean } {
  const size = typeof input === 'string' ? input.length : input.byteLength;
  if (size > maxFileSize) {
    const reason = `file of ${size} bytes is larger than ${maxFileSize}`;
    throw wholeFileFault(createSource(file, ''), reason, 'DOCKERFILE_TOO_LARGE');
  }
  if (typeof input === 'string') return { source: createSource(file, input.replace(/^\ufeff/, '')), valid: true };
  try {
    return { source: createSource(file, new TextDecoder('utf-8', { fatal: true }).decode(input)), valid: true };
  } catch {
    return { source: createSource(file, new TextDecoder('utf-8').decode(input)), valid: false };
  }
}

/** The statements of the file in order, heredocs read. */
function* statements(
  source: Source,
  directives: Directives,
  warnings: LintWarning[],
  valid: boolean,
): Generator<Statement> {
  for (let index = 0; index < source.lineStarts.length; ) {
    if (isBlankOrComment(source, index)) {
      index++;
      continue;
    }
    const line = readLogicalLine(source, index, directives.escape);
    checkLength(source, line);
    for (const empty of line.emptyLines) {
      const range = { start: { line: empty + 1, column: 1 }, end: { line: empty + 1, column: 1 } };
      warnings.push({ rule: 'NoEmptyContinuation', message: 'Empty continuation line', range });
    }
    const statement = splitStatement(source, line, directives.escape, 0);
    const heredocs = readHeredocs(source, line, statement);
    index = line.lastLine + 1;
    if (!valid && (line.text.includes('\ufffd') || heredocs.some((heredoc) => heredoc.content.includes('\ufffd')))) {
      throw fault(statement, 'instruction is not valid UTF-8', undefined, { hint: 'Save the Dockerfile as UTF-8.' });
    }
    yield { ...statement, heredocs };
  }
}

function checkLength(source: Source, line: LogicalLine): void {
  if (line.text.length <= maxLineLength) return;
  throw new DockerfileError(
    'DOCKERFILE_TOO_LARGE',
    source,
    { start: instructionRange(source, line).start, end: instructionRange(source, line).start },
    `instruction of ${line.text.length} characters is longer than ${maxLineLength}`,
  );
}

/** Reads the bodies of the heredocs that the line starts, and moves the end of the line behind them. */
function readHeredocs(source: Source, line: LogicalLine, statement: ReturnType<typeof splitStatement>): Heredoc[] {
  if (!line.text.includes('<<') || !mayHoldHeredoc(statement)) return [];
  let starts: ReturnType<typeof heredocStarts>;
  try {
    starts = heredocStarts(line.text);
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw fault(statement, error.message);
  }
  const heredocs: Heredoc[] = [];
  for (const start of starts) {
    const content: string[] = [];
    let index = line.lastLine + 1;
    for (; ; index++) {
      if (index >= source.lineStarts.length) throw unterminated(source, line, start.name, start.chomp);
      const end = lineText(source, index);
      if ((start.chomp ? end.replace(/^\t+/, '') : end) === start.name) break;
      if (lineEnd(source, index) - (source.lineStarts[index] ?? 0) > maxLineLength) {
        throw new DockerfileError(
          'DOCKERFILE_TOO_LARGE',
          source,
          { start: { line: index + 1, column: 1 }, end: { line: index + 1, column: 1 } },
          `line is longer than ${maxLineLength} characters`,
        );
      }
      content.push(rawLine(source, index));
    }
    line.lastLine = index;
    heredocs.push({ ...start, content: content.join('') });
  }
  return heredocs;
}

/** RUN, COPY and ADD, also behind ONBUILD, unless their arguments are a JSON array. */
function mayHoldHeredoc(statement: ReturnType<typeof splitStatement>, nested = false): boolean {
  const kind = kindOf(statement.word);
  if (kind === 'onbuild' && !nested) {
    const { source, line, escape, restStart } = statement;
    return statement.rest !== '' && mayHoldHeredoc(splitStatement(source, line, escape, restStart), true);
  }
  if (kind !== 'run' && kind !== 'copy' && kind !== 'add') return false;
  return parseJsonArray(statement.rest).kind !== 'strings';
}

function unterminated(source: Source, line: LogicalLine, name: string, chomp: boolean): DockerfileError {
  const mark = line.text.indexOf('<<');
  const end = Math.max(mark + 2, line.text.indexOf(name, mark) + name.length);
  return new DockerfileError(
    'DOCKERFILE_SYNTAX',
    source,
    joinedRange(source, line, mark, end),
    'unterminated heredoc',
    {
      hint: `A line that holds only ${name}${chomp ? ' (after tabs)' : ''} must follow.`,
    },
  );
}
