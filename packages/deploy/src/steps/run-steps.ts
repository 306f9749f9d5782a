import type { Step } from '../project/index.ts';
import { resolveNode, StepOutputs, type TemplateResolver } from '../template/index.ts';
import { withOutputs } from '../variables/index.ts';
import { LocatedError, type MappingNode } from '../yaml/index.ts';
import { checkRequires } from './check-requires.ts';
import type { StepContext } from './step-context.ts';
import { StepExecutionError } from './step-execution-error.ts';
import { findStep, lastPart } from './step-registry.ts';

/** What {@link runSteps} needs. */
export interface RunStepsOptions {
  readonly steps: readonly Step[];
  readonly context: StepContext;
  /** For everything but the results of these steps. */
  readonly resolver: TemplateResolver;
  /** Results of steps before these: not changed. */
  readonly outputs?: StepOutputs | undefined;
}

/**
 * Runs steps one after the other, each with its placeholders filled in once it is its turn; the first failure ends it.
 *
 * @returns the results of all steps, those before included
 * @throws StepExecutionError; the signal's reason
 */
export async function runSteps(options: RunStepsOptions): Promise<StepOutputs> {
  const { steps, context, resolver } = options;
  // Before anything runs: what cannot be run at all.
  for (const step of steps) findStep(step.name);
  const outputs = new StepOutputs(options.outputs);
  for (const step of steps) {
    context.signal.throwIfAborted();
    try {
      const definition = findStep(step.name);
      checkRequires(step, context.progress);
      const inputs = await resolveInputs(step, withOutputs(resolver, outputs), context);
      const result = await definition.run(inputs, context);
      outputs.add(step.id?.value, result);
    } catch (error) {
      context.signal.throwIfAborted();
      throw error instanceof StepExecutionError ? error : new StepExecutionError(step, error, context.redactor);
    }
  }
  return outputs;
}

/** The inputs of a step with all placeholders filled in; the redactor knows their secrets from then on. */
export async function resolveInputs(
  step: Step,
  resolver: TemplateResolver,
  { redactor }: Pick<StepContext, 'redactor'>,
): Promise<MappingNode> {
  const node = await resolveNode(step.inputs, resolver, { onSecret: (secret) => redactor.add(secret) });
  if (node.kind === 'mapping') return node;
  throw new LocatedError('STEP_INVALID', step.range, `the inputs of ${lastPart(step.name.value)} are no mapping`);
}
