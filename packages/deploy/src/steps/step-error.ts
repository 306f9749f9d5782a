import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { Step } from '../project/index.ts';
import { LocatedError, renderFrame, type SourceRange } from '../yaml/index.ts';
import { redactedDetails } from './redacted-error.ts';
import type { Redactor } from './redactor.ts';
import { lastPart } from './step-registry.ts';

/**
 * Something is wrong with a step: says with which, and where in the file. Code, hint and details are those of what is
 * wrong, which is the `cause`.
 */
export class StepError extends LocatedError {
  /** As written in the file. */
  readonly step: string;
  override readonly frame: string;

  /** @param lead what is said before the reason; default: the step's name, where the reason does not begin with it */
  constructor(step: Step, error: unknown, redactor: Redactor, lead?: string) {
    const ours = isBoxwrightError(error) ? error : undefined;
    const located = error instanceof LocatedError ? error : undefined;
    const why = located?.reason ?? (error instanceof Error ? error.message : String(error));
    const name = step.name.value;
    const short = lastPart(name);
    const before = lead ?? (why.startsWith(short) ? undefined : short);
    super(
      ours?.code ?? systemCode(error) ?? 'STEP_FAILED',
      located?.range ?? inputRange(step, ours),
      redactor.redact(before === undefined ? why : `${before}: ${why}`),
      {
        hint: ours?.hint === undefined ? undefined : redactor.redact(ours.hint),
        cause: error,
        details: { ...redactedDetails(ours?.details ?? {}, redactor), step: name },
      },
    );
    this.step = name;
    // The fault may be in another file, which has a frame of its own: a Dockerfile.
    this.frame = redactor.redact(otherFrame(error) ?? renderFrame(this.range, why));
  }
}

/** The input that the error is about, where it says so; else the step's name. */
function inputRange(step: Step, error: BoxwrightError | undefined): SourceRange {
  const input = error?.details['input'];
  const entry = typeof input === 'string' ? step.inputs.entries.get(input) : undefined;
  return entry?.value.range ?? step.name.range;
}

/** `EACCES` and the like. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function otherFrame(error: unknown): string | undefined {
  if (error instanceof LocatedError || !(error instanceof BoxwrightError)) return undefined;
  const frame: unknown = Reflect.get(error, 'frame');
  return typeof frame === 'string' ? frame : undefined;
}
