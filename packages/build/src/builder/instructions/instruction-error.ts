import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

const longestShown = 80;

/** What cannot be written as an instruction: INSTRUCTION_INVALID. `value` is the part that is wrong. */
export function instructionError(
  name: string,
  value: string,
  why: string,
  hint?: string,
  cause?: unknown,
): BoxwrightError {
  const cut = value.length > longestShown ? `${value.slice(0, longestShown - 1)}…` : value;
  return new BoxwrightError(
    'INSTRUCTION_INVALID',
    `${name} cannot be written with "${escapeForTerminal(cut)}": ${why}`,
    {
      hint,
      cause,
      details: { instruction: name },
    },
  );
}
