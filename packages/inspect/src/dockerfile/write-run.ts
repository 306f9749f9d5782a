import { type Instruction, type RunInstruction as ParsedRun, runScript } from '@boxwright/dockerfile';
import type { RunInstruction } from '../instructions/index.ts';
import type { Loss } from './model.ts';
import { hasControls, jsonWords } from './quote.ts';
import { firstThatReadsBack, sameWords } from './read-back.ts';

/** An instruction as Dockerfile text; empty when there is none for it. */
export interface WrittenInstruction {
  readonly text: string;
  readonly losses: readonly Loss[];
}

/** Where BuildKit mounts a heredoc that starts with `#!`. */
const scriptPattern = /^\/dev\/pipes\/([A-Za-z_][\w.-]*)$/;

/**
 * A RUN that gives the same row again under `shell`: several lines where the row still has the indentation of
 * continuation lines, a heredoc where it has line breaks, the exec form where the command was given to another program.
 */
export function writeRun(run: RunInstruction, shell: readonly string[]): WrittenInstruction {
  if (run.words !== undefined) return writeExec(run.words, shell, []);
  if (run.shell === undefined) {
    // The words of the exec form, joined by blanks: taken apart there.
    const words = run.command.split(' ').filter((word) => word !== '');
    return writeExec(words, shell, [{ kind: 'words', detail: run.command }]);
  }
  // A row is joined by blanks, and so is compared.
  const argv = run.shell === shell.join(' ') ? shell : run.shell.split(' ');
  const script = scriptPattern.exec(run.command)?.[1];
  if (script !== undefined) {
    const text = `RUN <<${script}\n#!/bin/false the script is not recorded\n${script}`;
    return { text, losses: [{ kind: 'run-script', detail: run.command }] };
  }
  const wanted = [...argv, run.command].join(' ').trim();
  const text = firstThatReadsBack(shellTexts(run.command, argv, argv === shell), (instruction) =>
    instruction.kind === 'run' ? plainRow(instruction, shell) === wanted : false,
  );
  return text === undefined ? { text: '', losses: [{ kind: 'row', detail: wanted }] } : { text, losses: [] };
}

function* shellTexts(command: string, argv: readonly string[], isShellForm: boolean): Generator<string> {
  const exec = `RUN ${jsonWords([...argv, command])}`;
  // Only the exec form can show what would steer a terminal.
  if (hasControls(command.replaceAll('\r\n', ''))) yield exec;
  if (isShellForm) {
    const lines = splitLines(command);
    if (lines !== command) yield `RUN ${lines}`;
    yield `RUN ${command}`;
    if (command.includes('\n')) yield heredoc(command);
  }
  yield exec;
}

function heredoc(body: string): string {
  const lines = new Set(body.split('\n'));
  let name = 'EOF';
  for (let number = 1; lines.has(name); number++) name = `EOF${number}`;
  return `RUN <<${name}\n${body}\n${name}`;
}

function writeExec(words: readonly string[], shell: readonly string[], losses: readonly Loss[]): WrittenInstruction {
  const wanted = words.join(' ');
  const text = firstThatReadsBack(
    [`RUN ${jsonWords(words)}`],
    (instruction) => words.length > 0 && instruction.kind === 'run' && plainRow(instruction, shell) === wanted,
  );
  return text === undefined ? { text: '', losses: [{ kind: 'row', detail: wanted }] } : { text, losses };
}

/** What BuildKit would record of it after the build arguments; undefined with flags, which no row shows. */
function plainRow(run: ParsedRun, shell: readonly string[]): string | undefined {
  if (run.mounts.length + run.devices.length > 0 || run.network !== undefined || run.security !== undefined) {
    return undefined;
  }
  const script = runScript(run);
  if (script.kind === 'args') return script.args.join(' ');
  return [...shell, script.kind === 'shell' ? script.text : script.path].join(' ').trim();
}

/**
 * BuildKit joins continuation lines and keeps their indentation: runs of blanks outside of quotes are where they were.
 * Split there again, so that joining gives the same text.
 */
function splitLines(command: string): string {
  let quote = '';
  let lines = '';
  for (let position = 0; position < command.length; position++) {
    const character = command[position] ?? '';
    if (character === '\\' && quote !== "'") {
      lines += character + (command[++position] ?? '');
      continue;
    }
    if (quote === '' && (character === ' ' || character === '\t')) {
      const run = /^[ \t]+/.exec(command.slice(position, position + 256))?.[0] ?? character;
      // A line that starts with # would be a comment; a text that ends here has no next line.
      const next = command[position + run.length];
      if (run.length > 1 && next !== undefined && next !== '#' && next !== '\n')
        lines += `${run.slice(0, 1)}\\\n${run.slice(1)}`;
      else lines += run;
      position += run.length - 1;
      continue;
    }
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    lines += character;
  }
  return lines;
}

/** CMD and ENTRYPOINT: the shell form where the words are a command for the shell, else the exec form. */
export function writeCommand(
  kind: 'CMD' | 'ENTRYPOINT',
  words: readonly string[],
  shell: readonly string[],
): WrittenInstruction {
  const command = words.at(-1) ?? '';
  const isShellForm =
    shell.length > 0 &&
    words.length === shell.length + 1 &&
    sameWords(words.slice(0, -1), shell) &&
    !hasControls(command);
  const texts = [...(isShellForm ? [`${kind} ${command}`] : []), `${kind} ${jsonWords(words)}`];
  const text = firstThatReadsBack(texts, (instruction) => sameWords(commandWords(instruction, shell) ?? [], words));
  return text === undefined
    ? { text: '', losses: [{ kind: 'row', detail: `${kind} ${words.join(' ')}` }] }
    : { text, losses: [] };
}

function commandWords(instruction: Instruction, shell: readonly string[]): readonly string[] | undefined {
  if (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') return undefined;
  return instruction.form === 'exec' ? instruction.args : [...shell, instruction.command];
}
