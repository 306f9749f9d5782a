export {
  type CopyInstruction,
  type HealthcheckInstruction,
  type HistoryInstruction,
  type InstructionKind,
  isInstructionKind,
  type NameValue,
  type PairsInstruction,
  type RunInstruction,
  type ValueInstruction,
  type WordsInstruction,
} from './instruction.ts';
export { collapseBlanks, type HistoryContext, type ReadRow, readHistory } from './read-history.ts';
export type { HistoryWriter } from './writer.ts';
