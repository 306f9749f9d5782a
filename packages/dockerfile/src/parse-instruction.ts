import { parseFlags } from './flags.ts';
import type {
  CmdInstruction,
  EntrypointInstruction,
  ExposeInstruction,
  FromInstruction,
  Instruction,
  InstructionKind,
  OnbuildInstruction,
  ShellInstruction,
  VolumeInstruction,
} from './instructions.ts';
import { commandArguments, listArguments, oneArgument } from './parse-arguments.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { parseArg, parseEnv, parseLabel } from './parse-key-values.ts';
import { parseRun } from './parse-run.ts';
import { parseAdd, parseCopy } from './parse-transfer.ts';
import { baseOf, didYouMean, fault, placeOf, type Statement, splitStatement } from './statement.ts';
import { splitWords } from './words.ts';

type Parser<K extends InstructionKind | 'from'> = (
  statement: Statement,
) => Extract<Instruction | FromInstruction, { kind: K }>;

/** One parser for each instruction, keyed by its name in lower case, which is its kind. */
const parsers: { readonly [K in InstructionKind | 'from']: Parser<K> } = {
  add: parseAdd,
  arg: parseArg,
  cmd: parseCmd,
  copy: parseCopy,
  entrypoint: parseEntrypoint,
  env: parseEnv,
  expose: parseExpose,
  from: parseFrom,
  healthcheck: parseHealthcheck,
  label: parseLabel,
  maintainer: (statement) => {
    parseFlags(statement, {});
    return { kind: 'maintainer', ...baseOf(statement), author: oneArgument(statement) };
  },
  onbuild: parseOnbuild,
  run: parseRun,
  shell: parseShell,
  // Flags of STOPSIGNAL are ignored, as in BuildKit.
  stopsignal: (statement) => ({ kind: 'stopsignal', ...baseOf(statement), signal: oneArgument(statement) }),
  user: (statement) => {
    parseFlags(statement, {});
    return { kind: 'user', ...baseOf(statement), user: oneArgument(statement) };
  },
  volume: parseVolume,
  workdir: (statement) => {
    parseFlags(statement, {});
    return { kind: 'workdir', ...baseOf(statement), path: oneArgument(statement) };
  },
};

/** Names of all instructions, upper case. */
export const instructionNames: readonly string[] = Object.keys(parsers).map((name) => name.toUpperCase());

/**
 * Turns a statement into a typed instruction.
 *
 * @throws {DockerfileError}
 */
export function parseInstruction(statement: Statement): Instruction | FromInstruction {
  const kind = kindOf(statement.word);
  if (kind === undefined) {
    const suggestion = didYouMean(statement.word.toUpperCase(), instructionNames);
    throw fault(statement, `unknown instruction: ${statement.word}${suggestion}`, undefined, {
      code: 'DOCKERFILE_UNKNOWN_INSTRUCTION',
      hint:
        suggestion === ''
          ? 'A line that belongs to the instruction above needs the escape character at the end of the line before.'
          : undefined,
    });
  }
  return parsers[kind](statement);
}

/** The kind of an instruction word in any case; undefined for an unknown one. */
export function kindOf(word: string): InstructionKind | 'from' | undefined {
  const lowered = word.toLowerCase();
  // The key was found in the table whose keys are the kinds.
  return Object.hasOwn(parsers, lowered) ? (lowered as InstructionKind | 'from') : undefined;
}

/** FROM: https://docs.docker.com/reference/dockerfile/#from */
function parseFrom(statement: Statement): FromInstruction {
  const words = splitWords(statement.rest);
  const [image, as, name] = words;
  if (image === undefined || !(words.length === 1 || (words.length === 3 && as?.text.toLowerCase() === 'as'))) {
    throw fault(statement, 'FROM takes an image, or an image, AS and a name', image && placeOf(statement, image), {
      hint: 'Write `FROM IMAGE` or `FROM IMAGE AS NAME`.',
    });
  }
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(name.text.toLowerCase())) {
    throw fault(statement, `invalid stage name ${JSON.stringify(name.text)}`, placeOf(statement, name), {
      hint: 'A stage name is a letter, then letters, digits, `-`, `_` and `.`.',
    });
  }
  const platform = parseFlags(statement, { platform: 'string' }).string('platform');
  return {
    kind: 'from',
    ...baseOf(statement),
    image: image.text,
    ...(platform ? { platform } : {}),
    ...(name === undefined ? {} : { as: name.text }),
  };
}

function parseCmd(statement: Statement): CmdInstruction {
  parseFlags(statement, {});
  return { kind: 'cmd', ...baseOf(statement), ...commandArguments(statement) };
}

function parseEntrypoint(statement: Statement): EntrypointInstruction {
  parseFlags(statement, {});
  return { kind: 'entrypoint', ...baseOf(statement), ...commandArguments(statement) };
}

function parseShell(statement: Statement): ShellInstruction {
  parseFlags(statement, {});
  const { form, args } = commandArguments(statement);
  if (form === 'exec' ? args.length === 0 : statement.rest === '') {
    throw fault(statement, 'SHELL needs a command');
  }
  if (form === 'shell') {
    throw fault(
      statement,
      'SHELL takes a JSON array',
      { start: statement.restStart, end: statement.restStart + statement.rest.length },
      { hint: 'Write `SHELL ["/bin/bash", "-c"]`.' },
    );
  }
  return { kind: 'shell', ...baseOf(statement), args };
}

function parseExpose(statement: Statement): ExposeInstruction {
  parseFlags(statement, {});
  const ports = splitWords(statement.rest).map((word) => word.text);
  if (ports.length === 0) throw fault(statement, 'EXPOSE needs a port');
  // BuildKit sorts them before expansion, which shows in its history row.
  ports.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return { kind: 'expose', ...baseOf(statement), ports };
}

function parseVolume(statement: Statement): VolumeInstruction {
  parseFlags(statement, {});
  const paths = listArguments(statement).words.map((word) => {
    const path = word.text.trim();
    if (path === '') throw fault(statement, 'the path of a VOLUME is empty', placeOf(statement, word));
    return path;
  });
  if (paths.length === 0) throw fault(statement, 'VOLUME needs a path');
  return { kind: 'volume', ...baseOf(statement), paths };
}

/** ONBUILD: https://docs.docker.com/reference/dockerfile/#onbuild */
function parseOnbuild(statement: Statement): OnbuildInstruction {
  if (statement.rest === '') throw fault(statement, 'ONBUILD needs an instruction');
  parseFlags(statement, {});
  const inner = { ...splitStatement(statement.source, statement.line, statement.escape, statement.restStart) };
  const name = inner.word.toUpperCase();
  const place = { start: inner.start, end: inner.start + inner.word.length };
  if (name === 'ONBUILD') throw fault(statement, 'ONBUILD cannot trigger another ONBUILD', place);
  if (name === 'FROM' || name === 'MAINTAINER') {
    throw fault(statement, `${name} cannot be an ONBUILD trigger`, place);
  }
  const instruction = parseInstruction({ ...inner, heredocs: statement.heredocs });
  if (instruction.kind === 'from') throw fault(statement, 'FROM cannot be an ONBUILD trigger', place);
  const bodies = statement.heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`).join('');
  return {
    kind: 'onbuild',
    ...baseOf(statement),
    instruction,
    text: statement.line.text.slice(inner.start) + bodies,
  };
}
