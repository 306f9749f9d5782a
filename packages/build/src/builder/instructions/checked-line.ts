import { expandInstruction, type Instruction, type InstructionKind, parseDockerfile } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import { instructionError } from './instruction-error.ts';

/**
 * The line, after the parser has read it as one instruction of that kind whose variables can be expanded: what holds for
 * one line holds for the file, since the parser reads lines one by one.
 *
 * @throws BoxwrightError INSTRUCTION_INVALID
 */
export function checkedLine(kind: InstructionKind, line: string): string {
  parseLine(kind, line);
  return line;
}

/** The instruction that a line is. @throws BoxwrightError INSTRUCTION_INVALID */
export function parseLine(kind: InstructionKind, line: string): Instruction {
  const name = kind.toUpperCase();
  try {
    const { stages } = parseDockerfile(`FROM scratch\n${line}\n`);
    const [instruction, ...more] = stages[0]?.instructions ?? [];
    if (instruction === undefined || more.length > 0 || stages.length > 1 || instruction.kind !== kind) {
      throw instructionError(name, line, 'it would be read as something else');
    }
    // Whatever variables are set to: a modifier such as ${x:?} is for the build to decide.
    const known = instruction.kind === 'onbuild' ? instruction.instruction : instruction;
    expandInstruction(known, () => 'x');
    return instruction;
  } catch (error) {
    if (!(error instanceof BoxwrightError) || error.code === 'INSTRUCTION_INVALID') throw error;
    const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
    throw instructionError(name, line, reason, error.hint, error);
  }
}
