import { escapeForTerminal } from '@boxwright/errors';
import { formatSizeProgress } from '@boxwright/inspect';
import type { BuildWarning, Step, StepStatus } from './trace.ts';

/** `1.20MB / 3.41MB`, `12 files`; empty while there is nothing to count. */
export function statusAmount(status: StepStatus): string {
  const { current, total, unit } = status;
  if (unit === 'files') {
    if (status.done && current === total) return '';
    return total !== undefined && total !== 0 ? `${current} / ${total} files` : current === 0 ? '' : `${current} files`;
  }
  if (total !== undefined && total !== 0) return `${formatSizeProgress(current)} / ${formatSizeProgress(total)}`;
  return current === 0 ? '' : formatSizeProgress(current);
}

/** A step's name on one line. */
export function stepName(step: Step): string {
  return escapeForTerminal(step.name.replace(/\s+/g, ' '));
}

/** So many lines of output are shown of a step that failed. */
export const failureLines = 20;

/** For each step that failed by itself the block that BuildKit prints. */
export function failedStepsLines(steps: readonly Step[], maxLines: number): string[] {
  const failed = steps.filter((step) => step.error !== undefined && !step.canceled);
  return failed.flatMap((step) => failedStepLines(step, maxLines));
}

/** A step's name and the end of its output. Nothing for a step without output: its error says all. */
function failedStepLines(step: Step, maxLines: number): string[] {
  if (step.lineCount === 0) return [];
  const shown = step.lines.slice(-maxLines);
  const left = step.lineCount - shown.length;
  return [
    '------',
    ` > ${stepName(step)}:`,
    ...(left > 0 ? [`… ${left} earlier ${left === 1 ? 'line' : 'lines'} left out`] : []),
    ...shown,
    '------',
  ];
}

/** The list of warnings at the end of a build; empty without warnings. */
export function warningLines(warnings: readonly BuildWarning[]): string[] {
  if (warnings.length === 0) return [];
  return [
    '',
    ` ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'} found:`,
    ...warnings.flatMap((warning) => {
      const place = warning.line === undefined ? '' : ` (line ${warning.line})`;
      const message = ` - ${escapeForTerminal(warning.message)}${place}`;
      return warning.detail === undefined ? [message] : [message, `   ${escapeForTerminal(warning.detail)}`];
    }),
  ];
}
