import { closestMatch } from '@boxwright/errors';
import type { Step } from '../project/index.ts';
import { findStep } from '../steps/step-registry.ts';
import { findPlaceholders } from '../template/index.ts';
import { LocatedError } from '../yaml/index.ts';
import type { DeploymentTarget } from './deployment-target.ts';

/**
 * Looks for what can be known to be wrong before anything runs: steps that do not exist, inputs that they do not have,
 * and placeholders for steps that do not exist or come later.
 *
 * @throws LocatedError STEP_UNKNOWN, STEP_INPUT_INVALID, TEMPLATE_UNKNOWN, TEMPLATE_INVALID
 */
export function checkTarget({ build, push }: DeploymentTarget): void {
  const steps = [...build.steps, ...push.steps];
  const known = new Set<string>();
  for (const [at, step] of steps.entries()) {
    const { inputs, results } = findStep(step.name);
    for (const { key, keyRange } of step.inputs.entries.values()) {
      if (inputs.includes(key)) continue;
      const nearest = closestMatch(key, inputs);
      throw new LocatedError('STEP_INPUT_INVALID', keyRange, `${step.name.value} has no input ${key}`, {
        hint: nearest === undefined ? `It has ${inputs.join(', ')}.` : `Did you mean ${nearest}?`,
        details: { step: step.name.value, input: key },
      });
    }
    checkPlaceholders(step, known, steps.slice(at));
    if (step.id !== undefined) known.add(step.id.value);
    for (const name of results) known.add(name);
  }
}

function checkPlaceholders(step: Step, known: ReadonlySet<string>, later: readonly Step[]): void {
  for (const { reference, range } of findPlaceholders(step.inputs)) {
    if (reference.kind === 'invalid') throw new LocatedError('TEMPLATE_INVALID', range, reference.reason);
    if (reference.kind !== 'step' || known.has(reference.name)) continue;
    const { name } = reference;
    if (name === 'ctx') continue;
    const comesLater = later.find(({ id }) => id?.value === name);
    if (comesLater !== undefined) {
      const line = comesLater.range.start.line;
      const where = comesLater === step ? 'is this step itself' : `comes later, in line ${line}`;
      throw new LocatedError('TEMPLATE_UNKNOWN', range, `the step ${name} ${where}`, {
        hint: 'Only results of steps before this one can be used.',
        details: { placeholder: name, kind: 'step', step: step.name.value },
      });
    }
    const nearest = closestMatch(name, known);
    throw new LocatedError('TEMPLATE_UNKNOWN', range, `no step before this one has the id or the result ${name}`, {
      hint:
        nearest !== undefined
          ? `Did you mean ${nearest}?`
          : known.size === 0
            ? 'Give the step that makes it an id.'
            : `There are ${[...known].join(', ')}.`,
      details: { placeholder: name, kind: 'step', step: step.name.value },
    });
  }
}
