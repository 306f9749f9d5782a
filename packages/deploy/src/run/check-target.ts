import { closestMatch } from '@boxwright/errors';
import type { Step } from '../project/index.ts';
import type { Redactor } from '../steps/redactor.ts';
import { StepError } from '../steps/step-error.ts';
import { StepInputs } from '../steps/step-inputs.ts';
import { findStep } from '../steps/step-registry.ts';
import { type FoundPlaceholder, findPlaceholders } from '../template/index.ts';
import { LocatedError, type YamlNode } from '../yaml/index.ts';
import { type DeploymentTarget, stepsOf } from './deployment-target.ts';

/**
 * Looks for what the file alone shows to be wrong: steps that do not exist, inputs and results that they do not have,
 * and placeholders for steps that do not exist or come later.
 *
 * @param fields what is filled in when the steps have run
 * @throws LocatedError, of steps a StepError, STEP_UNKNOWN, STEP_INPUT_INVALID, TEMPLATE_UNKNOWN, TEMPLATE_INVALID
 */
export function checkTarget(target: DeploymentTarget, fields: readonly YamlNode[], redactor: Redactor): void {
  const steps = stepsOf(target);
  const known: KnownResults = { byId: new Map(), names: new Set() };
  for (const [at, step] of steps.entries()) {
    try {
      const { inputs, results } = findStep(step.name);
      new StepInputs(step.name.value, step.inputs).refuseUnknown(inputs);
      for (const placeholder of findPlaceholders(step.inputs)) checkPlaceholder(placeholder, known, steps.slice(at));
      if (step.id !== undefined) known.byId.set(step.id.value, results);
      for (const name of results) known.names.add(name);
    } catch (error) {
      throw new StepError(step, error, redactor);
    }
  }
  for (const placeholder of fields.flatMap(findPlaceholders)) checkPlaceholder(placeholder, known, []);
}

/** What the steps before one give. */
interface KnownResults {
  readonly byId: Map<string, readonly string[]>;
  readonly names: Set<string>;
}

function checkPlaceholder(
  { reference, range }: FoundPlaceholder,
  { byId, names }: KnownResults,
  [step, ...later]: readonly Step[],
): void {
  if (reference.kind === 'invalid') throw new LocatedError('TEMPLATE_INVALID', range, reference.reason);
  if (reference.kind !== 'step' || reference.name === 'ctx') return;
  const { name, path } = reference;
  const unknown = (reason: string, hint: string): LocatedError =>
    new LocatedError('TEMPLATE_UNKNOWN', range, reason, { hint, details: { placeholder: name, kind: 'step' } });
  const [member] = path;
  const results = byId.get(name);
  if (results !== undefined && member !== undefined && !results.includes(member)) {
    const nearest = closestMatch(member, results);
    const hint = nearest === undefined ? `It has ${results.join(', ')}.` : `Did you mean ${nearest}?`;
    throw unknown(`the step ${name} has no result ${member}`, hint);
  }
  if (results !== undefined || names.has(name)) return;
  if (step?.id?.value === name) throw unknown(`the step ${name} is this step itself`, onlyBefore);
  const comesLater = later.find(({ id }) => id?.value === name);
  if (comesLater !== undefined) {
    throw unknown(`the step ${name} comes later, in line ${comesLater.range.start.line}`, onlyBefore);
  }
  const all = [...byId.keys(), ...names];
  const nearest = closestMatch(name, all);
  const others = all.length === 0 ? 'Give the step that makes it an id.' : `There are ${all.join(', ')}.`;
  throw unknown(
    `no step before this one has the id or the result ${name}`,
    nearest === undefined ? others : `Did you mean ${nearest}?`,
  );
}

const onlyBefore = 'Only results of steps before this one can be used.';
