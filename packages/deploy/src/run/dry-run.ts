import type { Project, Step } from '../project/index.ts';
import { Redactor } from '../steps/redactor.ts';
import { findStep } from '../steps/step-registry.ts';
import { type Lookup, resolveNode, StepOutputs, type TemplateResolver } from '../template/index.ts';
import { createResolver, isForWorker, type VariableSource } from '../variables/index.ts';
import { type MappingNode, type PlainObject, type PlainValue, plainValue } from '../yaml/index.ts';
import { checkTarget } from './check-target.ts';
import type { DeploymentTarget } from './deployment-target.ts';
import { type DeploymentSelection, selectDeployments } from './select-deployments.ts';

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

/** What {@link planDeployments} needs. */
export interface PlanOptions extends DeploymentSelection {
  readonly project: Project;
  readonly sources: readonly VariableSource[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly redactor?: Redactor | undefined;
}

/**
 * Finds out what would run, and runs nothing. Variables, blocks and the environment are looked up, so that what is
 * missing is an error here too.
 *
 * @throws BoxwrightError as `deployProject` does before anything runs, and LocatedError TEMPLATE_UNKNOWN
 */
export async function planDeployments(options: PlanOptions): Promise<readonly PlannedDeployment[]> {
  const { project, sources, env, redactor = new Redactor() } = options;
  const targets = selectDeployments(project, options);
  for (const target of targets) checkTarget(target);
  const base = createResolver({ outputs: new StepOutputs(), env, sources });
  const planned: PlannedDeployment[] = [];
  for (const target of targets) planned.push(await planTarget(target, base, redactor));
  return planned;
}

async function planTarget(
  { title, build, push }: DeploymentTarget,
  base: TemplateResolver,
  redactor: Redactor,
): Promise<PlannedDeployment> {
  const outputs = new StepOutputs();
  const steps: PlannedStep[] = [];
  for (const { name: section, steps: written } of [build, push]) {
    if (section === 'pull') continue;
    for (const step of written) {
      const resolver: TemplateResolver = {
        ...base,
        step: (name, path, reference) =>
          isForWorker(reference) ? { kind: 'keep' } : keptIfUnknown(outputs.lookup(name, path)),
      };
      const node = await resolveNode(step.inputs, resolver, { onSecret: (secret) => redactor.add(secret) });
      const inputs = node.kind === 'mapping' ? asWritten(node) : {};
      outputs.add(step.id?.value, expectedResult(step, inputs));
      steps.push({
        section,
        step: findStep(step.name).name,
        line: step.range.start.line,
        inputs: redacted(inputs, redactor),
      });
    }
  }
  return { name: title, steps };
}

/** What the step will give, as far as its inputs tell. */
function expectedResult(step: Step, inputs: PlainObject): PlainObject {
  const { name } = findStep(step.name);
  const result: Record<string, PlainValue> = Object.create(null);
  if (name !== 'build_docker_image' && name !== 'push_docker_image') return result;
  const { image_name: image, tag, additional_tags: additional } = inputs;
  if (typeof image === 'string') result['image_name'] = image;
  if (tag !== undefined && tag !== null) result['tag'] = tag;
  if (typeof image === 'string' && typeof tag === 'string') result['image'] = `${image}:${tag}`;
  result['additional_tags'] = additional ?? [];
  return result;
}

/** Values of inputs; what looks like a number stays as it is written, as for the steps: the tag 1.10 is not 1.1. */
function asWritten(node: MappingNode): PlainObject {
  const values: Record<string, PlainValue> = Object.create(null);
  for (const { key, value } of node.entries.values()) {
    const isNumber = value.kind === 'scalar' && typeof value.value === 'number';
    values[key] = isNumber ? value.text : plainValue(value);
  }
  return values;
}

/** Results of commands are known when they have run. */
function keptIfUnknown(lookup: Lookup): Lookup {
  return lookup.kind === 'missing' ? { kind: 'keep' } : lookup;
}

function redacted(inputs: PlainObject, redactor: Redactor): PlainObject {
  redactor.addNamed(inputs);
  return JSON.parse(redactor.redact(JSON.stringify(inputs)));
}
