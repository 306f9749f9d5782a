/** Modules of Prefect that have the core steps, those of older versions too. */
export function coreModules(own: string): readonly string[] {
  return [
    'prefect.deployments.steps',
    `prefect.deployments.steps.${own}`,
    'prefect.projects.steps',
    `prefect.projects.steps.${own}`,
  ];
}
