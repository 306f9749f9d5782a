import type { Deployment, Section } from '../project/index.ts';

/** What is deployed: an entry of `deployments`, or the steps of a file that has none. */
export interface DeploymentTarget {
  /** For messages and summaries. */
  readonly title: string;
  readonly deployment: Deployment | undefined;
  readonly build: Section;
  readonly push: Section;
  readonly pull: Section;
}
