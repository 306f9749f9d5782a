import {
  isNull,
  LocatedError,
  type LocatedWarning,
  type MappingNode,
  type Positioned,
  type YamlNode,
} from '../yaml/index.ts';
import { checkFields } from './check-fields.ts';
import { deploymentFields, workPoolFields } from './fields.ts';
import type { Deployment, Section, SectionName, WorkPool } from './project.ts';
import { readSteps } from './read-steps.ts';

/** The sections at the top of the file. */
export type ProjectSections = Readonly<Record<SectionName, Section>>;

/**
 * One entry of `deployments`. A section that it does not have is that of the file; one that is null or empty is none, whatever the file has,
 * but a `pull` of null or `{}` is none that was written, as for Prefect.
 *
 * @throws LocatedError `PROJECT_INVALID` or `STEP_INVALID`.
 */
export function readDeployment(
  node: YamlNode,
  index: number,
  project: ProjectSections,
  warnings: LocatedWarning[],
): Deployment {
  if (node.kind !== 'mapping') {
    throw new LocatedError('PROJECT_INVALID', node.range, 'a deployment must be a mapping', {
      hint: 'Begin it with "- name: …"; its other keys stand below.',
    });
  }
  checkFields(node, deploymentFields, 'a deployment', warnings);
  const section = (name: SectionName): Section => {
    const own = readSection(node, name, 'deployment', warnings);
    return own.range === undefined || (name === 'pull' && isNothing(node, name)) ? project[name] : own;
  };
  return {
    index,
    range: node.range,
    node,
    name: readText(node, 'name'),
    version: readText(node, 'version'),
    description: readText(node, 'description'),
    flowName: readText(node, 'flow_name'),
    entrypoint: readText(node, 'entrypoint'),
    tags: readNode(node, 'tags'),
    parameters: readNode(node, 'parameters'),
    schedules: readNode(node, 'schedules') ?? readNode(node, 'schedule'),
    workPool: readWorkPool(readNode(node, 'work_pool'), warnings),
    build: section('build'),
    push: section('push'),
    pull: section('pull'),
  };
}

/** A section of a mapping; one without a `range` where the mapping has no such key. */
export function readSection(
  node: MappingNode,
  name: SectionName,
  origin: 'deployment' | 'project',
  warnings: LocatedWarning[],
): Section {
  const entry = node.entries.get(name);
  if (entry === undefined) return { name, origin: 'none', steps: [], range: undefined };
  return { name, origin, steps: readSteps(entry.value, warnings), range: entry.keyRange };
}

/** Null, or an empty mapping. */
function isNothing(node: MappingNode, name: SectionName): boolean {
  const value = node.entries.get(name)?.value;
  return isNull(value) || (value?.kind === 'mapping' && value.entries.size === 0);
}

function readWorkPool(node: YamlNode | undefined, warnings: LocatedWarning[]): WorkPool | undefined {
  if (node?.kind !== 'mapping') return undefined;
  checkFields(node, workPoolFields, 'work_pool', warnings);
  return {
    range: node.range,
    name: readText(node, 'name'),
    workQueueName: readText(node, 'work_queue_name'),
    jobVariables: readNode(node, 'job_variables'),
  };
}

/** Text as it is written (`1.10`, not 1.1), of a key that {@link checkFields} has looked at. */
export function readText(node: MappingNode, key: string): Positioned<string> | undefined {
  const value = readNode(node, key);
  return value?.kind === 'scalar' ? { value: value.text, range: value.range } : undefined;
}

/** The value of a key; undefined for null. */
function readNode(node: MappingNode, key: string): YamlNode | undefined {
  const value = node.entries.get(key)?.value;
  return isNull(value) ? undefined : value;
}
