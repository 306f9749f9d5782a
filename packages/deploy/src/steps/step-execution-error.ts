import type { Step } from '../project/index.ts';
import type { Redactor } from './redactor.ts';
import { StepError } from './step-error.ts';

/** A step failed while it ran: Prefect's `StepExecutionError`. */
export class StepExecutionError extends StepError {
  constructor(step: Step, error: unknown, redactor: Redactor) {
    super(step, error, redactor, `Encountered error while running ${step.name.value}`);
  }
}
