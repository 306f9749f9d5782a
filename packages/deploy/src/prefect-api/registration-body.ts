import type { FinishedSteps } from '../run/deploy-project.ts';
import type { DeploymentTarget } from '../run/deployment-target.ts';
import { findPlaceholders, type Reference, resolveNode, type TemplateResolver } from '../template/index.ts';
import { createResolver, isForWorker } from '../variables/index.ts';
import {
  describeNode,
  isNull,
  isPlainObject,
  LocatedError,
  type PlainObject,
  type PlainValue,
  plainValue,
  type SourceRange,
  type YamlNode,
} from '../yaml/index.ts';
import { defaultWorkPool, deploymentIdentity } from './deployment-identity.ts';
import { pullSteps } from './pull-steps.ts';
import { apiSchedules } from './schedules.ts';

/** What the command line says about deployments. */
export interface RegistrationOptions {
  /** In place of the file's; empty leaves those. */
  readonly tags: readonly string[];
  /** Beside the file's, which they replace by name. */
  readonly jobVariables: PlainObject;
  /** Blocks and variables in the file's job variables stay placeholders: workers look them up. */
  readonly keepPlaceholders: boolean;
}

/** Keys of a deployment that a registration fills in, beside its pull steps. */
const registeredKeys = [
  ...['entrypoint', 'version', 'description', 'tags', 'parameters', 'enforce_parameter_schema', 'paused'],
  ...['is_schedule_active', 'schedule', 'schedules', 'concurrency_limit', 'work_pool'],
];

/** What a registration fills in and cannot be made without. */
export function registeredFields(
  { deployment }: DeploymentTarget,
  { keepPlaceholders }: Pick<RegistrationOptions, 'keepPlaceholders'>,
): readonly YamlNode[] {
  const fields = registeredKeys.flatMap((key) => deployment?.node.entries.get(key)?.value ?? []);
  const kept = keepPlaceholders ? deployment?.workPool?.jobVariables : undefined;
  return kept === undefined ? fields : fields.flatMap((field) => withoutKept(field, kept));
}

/** A field in its parts, without what stays. @param kept what may have placeholders that stay */
function withoutKept(field: YamlNode, kept: YamlNode): readonly YamlNode[] {
  if (field.kind !== 'mapping') return [field];
  return [...field.entries.values()].flatMap(({ value }) => (value === kept ? filledIn(kept) : value));
}

/** The texts of a tree without those that have a placeholder that stays. */
function filledIn(node: YamlNode): readonly YamlNode[] {
  const found = findPlaceholders(node);
  const staying = new Set(
    found.filter(({ reference }) => isLookedUp(reference)).map((placeholder) => placeholder.node),
  );
  return [...new Set(found.map((placeholder) => placeholder.node))].filter((text) => !staying.has(text));
}

/** True for blocks and variables. */
function isLookedUp({ kind }: Reference): boolean {
  return kind === 'block' || kind === 'variable';
}

/**
 * The body of a create request, without the flow's id: what the deployment says, with all placeholders filled in from the
 * results of its steps. Fields that it does not have are left out.
 *
 * @throws LocatedError REGISTRATION_INCOMPLETE, REGISTRATION_INVALID, TEMPLATE_UNKNOWN and others of templates
 */
export async function registrationBody(
  target: DeploymentTarget,
  finished: FinishedSteps,
  options: RegistrationOptions,
): Promise<PlainObject> {
  const { name, entrypoint } = deploymentIdentity(target);
  const { context, outputs, sources } = finished;
  const resolver = createResolver({ outputs, env: context.env, sources });
  const fields = new DeploymentFields(target, resolver, finished, options);
  const jobVariables = { ...(await fields.mapping('work_pool', 'job_variables')), ...options.jobVariables };
  const pool = (await fields.text('work_pool', 'name')) ?? defaultWorkPool(context.env);
  if (pool === undefined) {
    throw new LocatedError('REGISTRATION_INCOMPLETE', fields.range, `${name} has no work pool`, {
      hint: "Add 'work_pool: {name: …}', or set PREFECT_DEFAULT_WORK_POOL_NAME.",
    });
  }
  fields.warnOfOthers();
  const schedules = target.deployment?.schedules;
  const body: Record<string, PlainValue | undefined> = {
    name,
    entrypoint: (await fields.text('entrypoint')) ?? entrypoint,
    version: await fields.text('version'),
    description: await fields.text('description'),
    tags: options.tags.length > 0 ? options.tags : await fields.tags(),
    parameters: await fields.mapping('parameters'),
    // Without Python nobody knows the flow's parameters: a schema that takes any, unless the file has one.
    parameter_openapi_schema: (await fields.value('parameter_openapi_schema')) ?? { type: 'object', properties: {} },
    enforce_parameter_schema: await fields.value('enforce_parameter_schema'),
    paused: await fields.paused(),
    schedules: schedules === undefined ? undefined : apiSchedules(await fields.resolve(schedules)),
    ...(await fields.concurrency()),
    work_pool_name: pool,
    work_queue_name: await fields.text('work_pool', 'work_queue_name'),
    job_variables: jobVariables,
    pull_steps: await pullSteps(target, finished, jobVariables['image'] !== undefined),
  };
  return withoutMissing(body);
}

/** The fields of one deployment, resolved when they are asked for. */
class DeploymentFields {
  readonly #target: DeploymentTarget;
  readonly #resolver: TemplateResolver;
  readonly #finished: FinishedSteps;
  readonly #keepsPlaceholders: boolean;

  constructor(
    target: DeploymentTarget,
    resolver: TemplateResolver,
    finished: FinishedSteps,
    { keepPlaceholders }: RegistrationOptions,
  ) {
    this.#target = target;
    this.#resolver = resolver;
    this.#finished = finished;
    this.#keepsPlaceholders = keepPlaceholders;
  }

  get range(): SourceRange {
    const { deployment, build } = this.#target;
    const range = deployment?.range ?? build.range;
    if (range === undefined) throw new Error('a deployment is somewhere in the file');
    return range;
  }

  /** @param isReadAgain workers fill in the placeholders that are left */
  async resolve(node: YamlNode, isReadAgain = false): Promise<YamlNode> {
    const { context, outputs, sources } = this.#finished;
    const onSecret = (secret: string): void => context.redactor.add(secret);
    const keep = (reference: Reference): boolean => isLookedUp(reference) || isForWorker(reference);
    const resolver =
      isReadAgain && this.#keepsPlaceholders
        ? createResolver({ outputs, env: context.env, sources, keep })
        : this.#resolver;
    return await resolveNode(node, resolver, { onSecret, isReadAgain });
  }

  /** The value at a path of keys; undefined for null. */
  async value(...path: readonly string[]): Promise<PlainValue | undefined> {
    const node = this.#node(path);
    if (node === undefined) return undefined;
    return plainValue(await this.resolve(node)) ?? undefined;
  }

  /** Text as it is written: the version 1.10 is not 1.1. */
  async text(...path: readonly string[]): Promise<string | undefined> {
    const written = this.#node(path);
    if (written === undefined) return undefined;
    const node = await this.resolve(written);
    if (node.kind === 'scalar') return node.value === null ? undefined : node.text;
    throw invalid(node, `${path.join('.')} must be text`);
  }

  async mapping(...path: readonly string[]): Promise<PlainObject> {
    const written = this.#node(path);
    if (written === undefined) return {};
    // Workers fill in placeholders of job variables.
    const isReadAgain = path.at(-1) === 'job_variables';
    if (isReadAgain && !this.#keepsPlaceholders) this.#warnOfBlocks(written);
    const value = plainValue(await this.resolve(written, isReadAgain));
    if (value === null) return {};
    if (isPlainObject(value)) return value;
    throw invalid(written, `${path.join('.')} must be a mapping`);
  }

  /** One text is one tag; the tag 1.10 is not 1.1. */
  async tags(): Promise<readonly PlainValue[] | undefined> {
    const written = this.#node(['tags']);
    if (written === undefined) return undefined;
    const node = await this.resolve(written);
    if (isNull(node)) return undefined;
    return (node.kind === 'sequence' ? node.items : [node]).map((item) => {
      if (item.kind === 'scalar' && item.value !== null) return item.text;
      throw invalid(item, `a tag must be text, not ${describeNode(item)}`);
    });
  }

  /** `is_schedule_active` is how older files say it. */
  async paused(): Promise<PlainValue | undefined> {
    const [paused, active] = [await this.value('paused'), await this.value('is_schedule_active')];
    return paused ?? (typeof active === 'boolean' ? !active : undefined);
  }

  /** What the file says and nobody here makes must not be missed in silence. */
  warnOfOthers(): void {
    for (const key of ['triggers', 'sla', 'version_type']) {
      const entry = this.#target.deployment?.node.entries.get(key);
      if (entry === undefined || isNull(entry.value)) continue;
      const isEmpty = entry.value.kind !== 'scalar' && entry.value.size === 1;
      if (isEmpty) continue;
      const { source, start } = entry.keyRange;
      const [verb, them] = key === 'triggers' ? ['are', 'them'] : ['is', 'it'];
      this.#finished.context.progress.warning(
        `${source.file}:${start.line}: ${key} ${verb} not registered: make ${them} in Prefect`,
      );
    }
  }

  /** A number, or `{limit, collision_strategy, grace_period_seconds}`. */
  async concurrency(): Promise<Readonly<Record<string, PlainValue | undefined>>> {
    const value = await this.value('concurrency_limit');
    if (!isPlainObject(value)) return { concurrency_limit: value };
    const { limit, ...rest } = value;
    return { concurrency_limit: limit, concurrency_options: Object.keys(rest).length === 0 ? undefined : rest };
  }

  #node(path: readonly string[]): YamlNode | undefined {
    let node: YamlNode | undefined = this.#target.deployment?.node;
    for (const key of path) node = node?.kind === 'mapping' ? node.entries.get(key)?.value : undefined;
    return node;
  }

  #warnOfBlocks(node: YamlNode): void {
    for (const { reference, range, name } of findPlaceholders(node)) {
      if (reference.kind !== 'block') continue;
      const { line } = range.start;
      this.#finished.context.progress.warning(
        `${range.source.file}:${line}: what ${name} holds now is stored in the deployment in clear, unless --keep-placeholders leaves it to the worker`,
      );
    }
  }
}

function withoutMissing(body: Readonly<Record<string, PlainValue | undefined>>): PlainObject {
  const result: Record<string, PlainValue> = Object.create(null);
  for (const [name, value] of Object.entries(body)) if (value !== undefined) result[name] = value;
  return result;
}

function invalid(node: YamlNode, reason: string): LocatedError {
  return new LocatedError('REGISTRATION_INVALID', node.range, reason);
}
