import { BoxwrightError, closestMatch, escapeForTerminal, UsageError } from '@boxwright/errors';
import type { Deployment, Project } from '../project/index.ts';
import type { DeploymentTarget } from './deployment-target.ts';

/** Which deployments are meant. */
export interface DeploymentSelection {
  /** `name`, `flow/name`, or patterns of them with `*`. */
  readonly names: readonly string[];
  readonly all: boolean;
}

/**
 * The deployments that are meant, in the order of the file, each once. None named means the only one. A file without
 * deployments is one by itself: the steps at its top.
 *
 * @throws UsageError; BoxwrightError DEPLOYMENT_NOT_FOUND, DEPLOYMENT_AMBIGUOUS, PROJECT_EMPTY
 */
export function selectDeployments(project: Project, { names, all }: DeploymentSelection): readonly DeploymentTarget[] {
  if (all && names.length > 0) {
    throw new UsageError('--all deploys every deployment, so none can be named', {
      hint: 'Leave out --all, or the names.',
    });
  }
  const { deployments } = project;
  if (deployments.length === 0) {
    if (names.length > 0) throw notFound(names[0] ?? '', project);
    return [wholeFile(project)];
  }
  if (all || names.length > 0) {
    const chosen = new Set<Deployment>();
    for (const name of names) {
      const matching = deployments.filter((deployment) => isMeant(deployment, name));
      if (matching.length === 0) throw notFound(name, project);
      for (const deployment of matching) chosen.add(deployment);
    }
    return deployments.filter((deployment) => all || chosen.has(deployment)).map(targetOf);
  }
  const [only, ...others] = deployments;
  if (only === undefined || others.length > 0) {
    throw new BoxwrightError(
      'DEPLOYMENT_AMBIGUOUS',
      `${escapeForTerminal(project.file)} has ${deployments.length} deployments, and none of them is named`,
      { hint: `There are ${listed(project)}; --all deploys them all.` },
    );
  }
  return [targetOf(only)];
}

function wholeFile(project: Project): DeploymentTarget {
  const { build, push, pull } = project;
  if (build.steps.length + push.steps.length === 0) {
    throw new BoxwrightError('PROJECT_EMPTY', `${escapeForTerminal(project.file)} has no deployments and no steps`, {
      hint: "Add 'build:' with a step build_docker_image, or 'deployments:'.",
    });
  }
  return { title: project.name?.value ?? 'project', deployment: undefined, build, push, pull };
}

function targetOf(deployment: Deployment): DeploymentTarget {
  const { build, push, pull } = deployment;
  return { title: titleOf(deployment), deployment, build, push, pull };
}

function titleOf({ name, index }: Deployment): string {
  return name?.value ?? `deployment ${index + 1}`;
}

/** Prefect's rules: the part before a slash is the flow's name, and dashes in it count as underscores. */
function isMeant(deployment: Deployment, wanted: string): boolean {
  const slash = wanted.indexOf('/');
  const name = deployment.name?.value;
  if (name === undefined) return false;
  if (matches(wanted, name)) return true;
  if (slash < 0) return false;
  const flow = deployment.flowName?.value ?? /[:.]([^:.]+)$/.exec(deployment.entrypoint?.value ?? '')?.[1] ?? '';
  const [flowPart, namePart] = [wanted.slice(0, slash), wanted.slice(slash + 1)];
  return matches(flowPart.replaceAll('-', '_'), flow.replaceAll('-', '_')) && matches(namePart, name);
}

/** `*` stands for any text; the whole has to match. No regular expression: many stars would take very long. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

function notFound(name: string, project: Project): BoxwrightError {
  const names = project.deployments.flatMap((deployment) => deployment.name?.value ?? []);
  const nearest = closestMatch(name, names);
  return new BoxwrightError(
    'DEPLOYMENT_NOT_FOUND',
    `${escapeForTerminal(project.file)} has no deployment ${escapeForTerminal(name)}`,
    {
      hint: nearest === undefined ? `There are ${listed(project)}.` : `Did you mean ${nearest}?`,
      details: { name },
    },
  );
}

const maxListed = 20;

function listed(project: Project): string {
  const names = project.deployments.map(titleOf);
  if (names.length === 0) return 'none';
  const more = names.length > maxListed ? ` and ${names.length - maxListed} more` : '';
  return names.slice(0, maxListed).join(', ') + more;
}
