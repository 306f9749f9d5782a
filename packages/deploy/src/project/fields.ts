/** What a key of the project file may hold. Text with a placeholder is allowed everywhere but in `steps`, `name` and `deployments`. */
export type FieldType =
  | 'text'
  | 'boolean'
  | 'mapping'
  | 'anything'
  | 'text-or-list'
  | 'mapping-or-list'
  | 'integer-or-mapping'
  | 'steps'
  | 'work-pool'
  | 'deployments';

/** One key: for checks, suggestions and the JSON Schema. */
export interface Field {
  readonly type: FieldType;
  readonly description: string;
}

/** Keys of a mapping. */
export type Fields = ReadonlyMap<string, Field>;

function fields(table: Readonly<Record<string, readonly [FieldType, string]>>): Fields {
  return new Map(Object.entries(table).map(([key, [type, description]]) => [key, { type, description }]));
}

/** The top of the file. Keys that begin with `x-` may hold anything, too. */
export const projectFields: Fields = fields({
  name: ['text', 'Name of the project.'],
  'prefect-version': ['text', 'Version of Prefect that wrote the file. Not used.'],
  build: ['steps', 'Steps that make images, for each deployment without a build section of its own.'],
  push: ['steps', 'Steps that push images, for each deployment without a push section of its own.'],
  pull: [
    'steps',
    'Steps that a run begins with, for each deployment without a pull section of its own. They do not run here.',
  ],
  deployments: ['deployments', 'What is deployed.'],
  definitions: ['anything', 'Parts with anchors (&name) that aliases (*name) repeat elsewhere.'],
});

/** An entry of `deployments`. */
export const deploymentFields: Fields = fields({
  name: ['text', 'Name of the deployment.'],
  version: ['text', 'Version of the deployment.'],
  version_type: ['text', 'Where the version comes from, such as prefect:simple or vcs:git.'],
  tags: ['text-or-list', 'Tags of the deployment; not those of an image.'],
  description: ['text', 'What the deployment is for.'],
  schedule: ['mapping', 'When it runs: a mapping with cron, interval or rrule.'],
  schedules: ['mapping-or-list', 'When it runs: a list of mappings with cron, interval or rrule.'],
  is_schedule_active: ['boolean', 'Older form of paused.'],
  paused: ['boolean', 'True: no run is scheduled.'],
  concurrency_limit: [
    'integer-or-mapping',
    'How many runs at a time: a number, or {limit, collision_strategy, grace_period_seconds}.',
  ],
  flow_name: ['text', 'Name of the flow. Needed for registering, as the flow itself is not loaded here.'],
  entrypoint: ['text', 'Where the flow is: path/to/file.py:function, or package.module.function.'],
  parameters: ['mapping', 'Default parameters of runs.'],
  enforce_parameter_schema: ['boolean', "True: parameters must fit the flow's schema."],
  parameter_openapi_schema: ['mapping', 'JSON Schema of the parameters, as the flow itself is not loaded here.'],
  build: ['steps', 'Steps that make images. Absent: those at the top of the file; null or []: none.'],
  push: ['steps', 'Steps that push images. Absent: those at the top of the file; null or []: none.'],
  pull: ['steps', 'Steps that a run begins with. Absent or null: those at the top of the file; []: none.'],
  work_pool: ['work-pool', 'Which work pool runs it.'],
  triggers: ['mapping-or-list', 'Automations that start runs.'],
  sla: ['mapping-or-list', "Service level agreements (Prefect's cloud only)."],
});

/** `work_pool` of a deployment. */
export const workPoolFields: Fields = fields({
  name: ['text', 'Name of the work pool.'],
  work_queue_name: ['text', 'Name of the queue in the pool.'],
  job_variables: ['mapping', 'Variables of the pool\'s job template, such as image: "{{ build-image.image }}".'],
});
