import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { FinishedSteps, Registrar } from '../run/deploy-project.ts';
import type { DeploymentTarget } from '../run/deployment-target.ts';
import { isPlainObject, LocatedError, type PlainObject } from '../yaml/index.ts';
import { defaultWorkPool, deploymentIdentity } from './deployment-identity.ts';
import type { Registration } from './registration.ts';
import { type RegistrationOptions, registeredFields, registrationBody } from './registration-body.ts';
import type { PrefectApi } from './request.ts';
import { checkSchedules } from './schedules.ts';

/** Where deployments are registered, and what the command line says about them. */
export interface RegistrarOptions extends RegistrationOptions {
  /** Absent: nothing is sent, but what would be is worked out. */
  readonly api?: PrefectApi | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Registers deployments with a Prefect server: the work pools are looked at before any step runs; then the flow is made
 * where there is none, and the deployment is created or updated.
 */
export function prefectRegistrar(options: RegistrarOptions): Registrar {
  const { api, env } = options;
  return {
    fields: (target) => (api === undefined && !isComplete(target, env) ? [] : registeredFields(target, options)),
    async prepare(targets) {
      const pools = new Map<string, DeploymentTarget>();
      for (const target of targets) {
        // Without a server a file with nothing to register is as good as any.
        if (api === undefined) continue;
        deploymentIdentity(target);
        if (target.deployment?.schedules !== undefined) checkSchedules(target.deployment.schedules);
        const pool = target.deployment?.workPool?.name?.value ?? defaultWorkPool(env);
        if (pool !== undefined && !pool.includes('{{') && !pools.has(pool)) pools.set(pool, target);
      }
      for (const [pool, target] of pools) if (api !== undefined) await checkPool(api, pool, target);
    },
    async register(target, finished) {
      if (api === undefined && !isComplete(target, env)) return undefined;
      const { flow, name } = deploymentIdentity(target);
      const body = await registrationBody(target, finished, options);
      const registration: Registration = { name: `${flow}/${name}`, flow, body, id: undefined, created: undefined };
      return api === undefined ? registration : await send(api, registration, finished);
    },
  };
}

async function checkPool(api: PrefectApi, pool: string, { deployment }: DeploymentTarget): Promise<void> {
  const { status, value } = await api.request({ method: 'GET', path: `work_pools/${encodeURIComponent(pool)}` });
  const type = isPlainObject(value) ? value['type'] : undefined;
  if (status !== 404 && type !== 'prefect-agent') return;
  const shown = escapeForTerminal(pool);
  const reason =
    status === 404
      ? `Work pool "${shown}" not found.`
      : `the work pool ${shown} is for agents, which Prefect 3 has not`;
  const hint = status === 404 ? `Make it: prefect work-pool create ${shown} --type docker` : 'Name another work pool.';
  const range = deployment?.workPool?.name?.range ?? deployment?.range;
  if (range === undefined) throw new BoxwrightError('WORK_POOL_UNUSABLE', reason, { hint });
  throw new LocatedError('WORK_POOL_UNUSABLE', range, reason, { hint, details: { workPool: pool } });
}

async function send(api: PrefectApi, registration: Registration, { context }: FinishedSteps): Promise<Registration> {
  const { flow, body, name } = registration;
  const deploymentName = name.slice(flow.length + 1);
  return await context.progress.during(`register ${name} at ${api.host}`, async (row) => {
    const flowId = idOf(await api.request({ method: 'POST', path: 'flows/', body: { name: flow } }), 'flow');
    const [flowPart, namePart] = [flow, deploymentName].map(encodeURIComponent);
    const known = await api.request({ method: 'GET', path: `deployments/name/${flowPart}/${namePart}` });
    if (known.status === 404) {
      const made = await api.request({ method: 'POST', path: 'deployments/', body: { ...body, flow_id: flowId } });
      const id = idOf(made, 'deployment');
      row.line(`Deployment '${name}' successfully created with id '${id}'.`);
      return { ...registration, id, created: true };
    }
    const id = idOf(known, 'deployment');
    const { name: _name, ...changes } = body;
    await api.request({
      method: 'PATCH',
      path: `deployments/${encodeURIComponent(id)}`,
      body: changes,
    });
    row.line(`Deployment '${name}' successfully updated with id '${id}'.`);
    return { ...registration, id, created: false };
  });
}

function idOf({ value }: { readonly value: unknown }, what: string): string {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  if (typeof id === 'string') return id;
  throw missing(what);
}

function missing(what: string): BoxwrightError {
  return new BoxwrightError('PREFECT_API_FAILED', `the Prefect server named no ${what}`, {
    hint: 'Is the URL that of the API, with /api at its end?',
  });
}

/** What has no name, entrypoint or work pool is built and pushed, and that is all. */
function isComplete({ deployment }: DeploymentTarget, env: RegistrarOptions['env']): boolean {
  if (deployment?.name === undefined || deployment.entrypoint === undefined) return false;
  return deployment.workPool?.name !== undefined || defaultWorkPool(env) !== undefined;
}

/** A registration for programs: `deployment` is the body of the request. */
export function registrationJson({ name, flow, body, id, created }: Registration): PlainObject {
  return { name, flow, id: id ?? null, created: created ?? null, deployment: body };
}
