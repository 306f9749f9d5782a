/** What is wrong with a value, or undefined. */
type Check = (value: unknown) => string | undefined;

/** A field of a request: its check, and whether it must be there. */
interface PayloadField {
  readonly check: Check;
  readonly isRequired?: true;
}

/** Fields of one kind of request. Others are refused, as Prefect's models do. */
export type Payload = Readonly<Record<string, PayloadField>>;

/** One fault, as Prefect tells it: where, and what. */
export interface PayloadFault {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

const check =
  (name: string, accepts: (value: unknown) => boolean): Check =>
  (value) =>
    accepts(value) ? undefined : `Input should be a valid ${name}`;
const text = check('string', (value) => typeof value === 'string');
const name = check('name', (value) => typeof value === 'string' && value !== '' && !/[/%&><]/.test(value));
const boolean = check('boolean', (value) => typeof value === 'boolean');
const uuid = check(
  'UUID',
  (value) => typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
);
const mapping = check('dictionary', isMapping);
const positive = check('positive integer', (value) => Number.isInteger(value) && Number(value) > 0);
const nullable =
  (inner: Check): Check =>
  (value) =>
    value === null ? undefined : inner(value);
const list =
  (inner: Check): Check =>
  (value) =>
    Array.isArray(value) ? value.map(inner).find((fault) => fault !== undefined) : 'Input should be a valid list';
const object =
  (payload: Payload): Check =>
  (value) =>
    isMapping(value)
      ? payloadFaults(payload, value).map(({ loc, msg }) => `${loc.join('.')}: ${msg}`)[0]
      : 'Input should be an object';

const schedule: Check = (value) => {
  if (!isMapping(value)) return 'Input should be an object';
  const timezone = { check: nullable(text) };
  if ('cron' in value) return object({ cron: { check: text }, timezone, day_or: { check: boolean } })(value);
  if ('rrule' in value) return object({ rrule: { check: text }, timezone })(value);
  const interval = check('duration', (seconds) => typeof seconds === 'number' && seconds > 0);
  return object({ interval: { check: interval, isRequired: true }, anchor_date: { check: text }, timezone })(value);
};

const scheduleEntry: Payload = {
  active: { check: boolean },
  schedule: { check: schedule, isRequired: true },
  max_scheduled_runs: { check: nullable(positive) },
  parameters: { check: mapping },
  slug: { check: nullable(text) },
};

/** What may be changed of a deployment (`PATCH /deployments/{id}`). */
export const deploymentUpdate: Payload = {
  entrypoint: { check: nullable(text) },
  version: { check: nullable(text) },
  description: { check: nullable(text) },
  path: { check: nullable(text) },
  tags: { check: list(text) },
  parameters: { check: mapping },
  parameter_openapi_schema: { check: mapping },
  // Left out rather than null.
  enforce_parameter_schema: { check: boolean },
  paused: { check: boolean },
  pull_steps: { check: list(mapping) },
  schedules: { check: list(object(scheduleEntry)) },
  concurrency_limit: { check: nullable(positive) },
  concurrency_options: {
    check: object({
      collision_strategy: { check: check('strategy', (value) => value === 'ENQUEUE' || value === 'CANCEL_NEW') },
      grace_period_seconds: {
        check: check('number of seconds', (value) => Number(value) >= 60 && Number(value) <= 86_400),
      },
    }),
  },
  work_pool_name: { check: nullable(text) },
  work_queue_name: { check: nullable(text) },
  job_variables: { check: mapping },
};

/** `POST /deployments/` */
export const deploymentCreate: Payload = {
  name: { check: text, isRequired: true },
  flow_id: { check: uuid, isRequired: true },
  ...deploymentUpdate,
};

/** `POST /flows/` */
export const flowCreate: Payload = { name: { check: name, isRequired: true }, tags: { check: list(text) } };

/** All that is wrong with the body of a request. */
export function payloadFaults(payload: Payload, body: Readonly<Record<string, unknown>>): PayloadFault[] {
  const faults = Object.entries(body).map(([field, value]): PayloadFault | undefined => {
    const known = Object.hasOwn(payload, field) ? payload[field] : undefined;
    if (known === undefined) return { loc: [field], msg: 'Extra inputs are not permitted', type: 'extra_forbidden' };
    const msg = known.check(value);
    return msg === undefined ? undefined : { loc: [field], msg, type: 'type_error' };
  });
  const missing = Object.entries(payload).map(([field, { isRequired }]): PayloadFault | undefined =>
    isRequired === true && !Object.hasOwn(body, field)
      ? { loc: [field], msg: 'Field required', type: 'missing' }
      : undefined,
  );
  return [...faults, ...missing].filter((fault) => fault !== undefined);
}

/** True for JSON objects. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
