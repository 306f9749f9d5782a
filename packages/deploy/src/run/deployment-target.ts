import type { Deployment, Section, Step } from '../project/index.ts';

/** What is deployed: an entry of `deployments`, or the steps of a file that has none. */
export interface DeploymentTarget {
  /** For messages and summaries. */
  readonly title: string;
  readonly deployment: Deployment | undefined;
  readonly build: Section;
  readonly push: Section;
  readonly pull: Section;
}

/** The steps that run here, in their order. */
export function stepsOf({ build, push }: DeploymentTarget): readonly Step[] {
  return [...build.steps, ...push.steps];
}
