import type { Section, Step } from '../project/index.ts';
import { stepImage } from '../steps/image-name.ts';
import { resolveInputs } from '../steps/run-steps.ts';
import type { ReadContext } from '../steps/step-definition.ts';
import { StepError } from '../steps/step-error.ts';
import { findStep } from '../steps/step-registry.ts';
import { findPlaceholders, resolveNode, StepOutputs, type TemplateResolver } from '../template/index.ts';
import { isForWorker } from '../variables/index.ts';
import {
  type MappingNode,
  mappingNode,
  type PlainObject,
  type PlainValue,
  plainValue,
  type YamlNode,
} from '../yaml/index.ts';
import { checkTarget } from './check-target.ts';
import type { DeploymentTarget } from './deployment-target.ts';

/** A step that would run. */
export interface PlannedStep {
  readonly section: 'build' | 'push';
  /** `build_docker_image` */
  readonly step: string;
  readonly line: number;
  /** With all that is known already; secrets are `***`, results of commands stay placeholders. */
  readonly inputs: PlainObject;
}

/** What a deployment would do. */
export interface PlannedDeployment {
  readonly name: string;
  readonly steps: readonly PlannedStep[];
}

/** What a plan needs beside the deployments. */
export interface PlanContext extends ReadContext {
  readonly resolver: TemplateResolver;
  /** What of a deployment is filled in when its steps have run. */
  readonly fields: (target: DeploymentTarget) => readonly YamlNode[];
}

/**
 * Finds out what would run, and runs nothing. Variables, blocks and the environment are looked up, and all inputs that do
 * not hang on the results of commands are checked, so that what is wrong or missing is known before anything is done.
 *
 * @throws LocatedError, of steps a StepError: those of `checkTarget`, TEMPLATE_UNKNOWN, and what steps throw for inputs
 *   that are wrong
 */
export async function planTargets(
  targets: readonly DeploymentTarget[],
  context: PlanContext,
): Promise<readonly PlannedDeployment[]> {
  for (const target of targets) checkTarget(target, context.fields(target), context.redactor);
  const planned: PlannedDeployment[] = [];
  for (const target of targets) planned.push(await planTarget(target, context));
  return planned;
}

async function planTarget(target: DeploymentTarget, context: PlanContext): Promise<PlannedDeployment> {
  const { title, build, push } = target;
  const expected: ExpectedResults = { shown: new StepOutputs(), sure: new StepOutputs() };
  const steps: PlannedStep[] = [];
  for (const { section, step } of [...inSection('build', build), ...inSection('push', push)]) {
    try {
      const inputs = redacted(await planStep(step, expected, context), context);
      steps.push({ section, step: findStep(step.name).name, line: step.range.start.line, inputs });
    } catch (error) {
      throw new StepError(step, error, context.redactor);
    }
  }
  const resolver = resolverFor(context, expected);
  const onSecret = (secret: string): void => context.redactor.add(secret);
  for (const field of context.fields(target)) await resolveNode(field, resolver, { onSecret });
  return { name: title, steps };
}

/** Results of commands are known when they have run: placeholders for them stay. */
function resolverFor({ resolver }: PlanContext, { shown }: ExpectedResults): TemplateResolver {
  return {
    ...resolver,
    step(name, path, reference) {
      const lookup = isForWorker(reference) ? undefined : shown.lookup(name, path);
      return lookup?.kind === 'value' ? lookup : { kind: 'keep' };
    },
  };
}

function inSection<Name extends PlannedStep['section']>(
  section: Name,
  { steps }: Section,
): readonly { readonly section: Name; readonly step: Step }[] {
  return steps.map((step) => ({ section, step }));
}

/** What the steps so far will give. */
interface ExpectedResults {
  /** With placeholders for what only commands will tell. */
  readonly shown: StepOutputs;
  /** Without that. */
  readonly sure: StepOutputs;
}

async function planStep(step: Step, results: ExpectedResults, context: PlanContext): Promise<PlainObject> {
  const { shown, sure } = results;
  const node = await resolveInputs(step, resolverFor(context, results), context);
  const untold = new Set<string>();
  for (const { key, value } of step.inputs.entries.values()) if (!isSure(value, sure)) untold.add(key);
  const told = [...node.entries.values()].filter(({ key }) => !untold.has(key));
  findStep(step.name).check(mappingNode(told, node.range), context, untold);
  const inputs = asWritten(node);
  const expected = expectedResult(step, inputs, untold, context);
  shown.add(step.id?.value, expected.shown);
  sure.add(step.id?.value, expected.sure);
  return inputs;
}

/** Whether nothing in it hangs on what only a command will tell. */
function isSure(written: YamlNode, sure: StepOutputs): boolean {
  return findPlaceholders(written).every(
    ({ reference }) =>
      reference.kind !== 'step' ||
      isForWorker(reference) ||
      sure.lookup(reference.name, reference.path).kind === 'value',
  );
}

/** What the step will give, as far as its inputs tell; without what hangs on inputs that are untold yet. */
function expectedResult(
  step: Step,
  inputs: PlainObject,
  untold: ReadonlySet<string>,
  { env }: ReadContext,
): Readonly<Record<keyof ExpectedResults, PlainObject>> {
  const shown: Record<string, PlainValue> = Object.create(null);
  const sure: Record<string, PlainValue> = Object.create(null);
  const expect = (name: string, value: PlainValue | undefined, ...from: readonly string[]): void => {
    if (value === undefined || value === null) return;
    shown[name] = value;
    if (!from.some((input) => untold.has(input))) sure[name] = value;
  };
  const { name } = findStep(step.name);
  const { image_name: imageName, tag: ownTag } = inputs;
  if ((name !== 'build_docker_image' && name !== 'push_docker_image') || typeof imageName !== 'string') {
    return { shown, sure };
  }
  const known = untold.has('image_name') ? { name: imageName, tag: undefined } : stepImage({ imageName }, env);
  const tag = ownTag ?? known.tag ?? (name === 'push_docker_image' ? 'latest' : undefined);
  expect('image_name', known.name, 'image_name');
  expect('tag', tag, 'image_name', 'tag');
  if (typeof tag === 'string') expect('image', `${known.name}:${tag}`, 'image_name', 'tag');
  expect('additional_tags', inputs['additional_tags'] ?? [], 'additional_tags');
  return { shown, sure };
}

/** Values of inputs; what looks like a number stays as it is written, as for the steps: the tag 1.10 is not 1.1. */
function asWritten({ entries }: MappingNode): PlainObject {
  const values: Record<string, PlainValue> = Object.create(null);
  for (const { key, value } of entries.values()) {
    const isNumber = value.kind === 'scalar' && typeof value.value === 'number';
    values[key] = isNumber ? value.text : plainValue(value);
  }
  return values;
}

function redacted(inputs: PlainObject, { redactor }: ReadContext): PlainObject {
  redactor.addNamed(inputs);
  return redactor.redactObject(inputs);
}
