import { DockerfileError, expandInstruction, type Instruction, parseDockerfile } from '@boxwright/dockerfile';

/**
 * Reads one instruction of a Dockerfile, with variables and quotes removed: what a builder would make of `text`.
 * Undefined when it is not exactly one instruction. Whatever is written is checked this way, so that no text from an
 * image, however odd, becomes another instruction than the one it was.
 */
export function readBack(text: string): Instruction | undefined {
  try {
    const { stages } = parseDockerfile(`FROM scratch\n${text}\n`);
    const [stage, ...otherStages] = stages;
    const [instruction, ...others] = stage?.instructions ?? [];
    if (instruction === undefined || others.length > 0 || otherStages.length > 0) return undefined;
    // A line that ends the instruction early leaves a comment behind.
    if (instruction.range.end.line !== text.split('\n').length + 1) return undefined;
    return expandInstruction(instruction, () => undefined);
  } catch (error) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}

/** The first text that reads back as wanted. */
export function firstThatReadsBack(
  texts: Iterable<string>,
  isWanted: (instruction: Instruction) => boolean,
): string | undefined {
  for (const text of texts) {
    const instruction = readBack(text);
    if (instruction !== undefined && isWanted(instruction)) return text;
  }
  return undefined;
}

/** True for lists of the same strings. */
export function sameWords(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((word, index) => word === right[index]);
}
