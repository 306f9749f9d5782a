import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  deploymentCreate,
  deploymentUpdate,
  flowCreate,
  isMapping,
  type Payload,
  payloadFaults,
} from './prefect-payloads.ts';

/** A request that the server got. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** As much of a Prefect server as deployments need: pools, flows, deployments. What it is sent is checked as strictly as there. */
export interface FakePrefectServer {
  /** With `/api`. */
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** `flow/name` and what is stored. */
  readonly deployments: Map<string, Record<string, unknown>>;
}

/** How a {@link FakePrefectServer} behaves. */
export interface FakePrefectServerOptions {
  readonly pools?: Readonly<Record<string, string>>;
  /** Wants a token with each change. */
  readonly csrf?: boolean;
  /** Status codes of the first answers. */
  readonly failures?: readonly number[];
  readonly authorization?: string;
}

type Answer = readonly [status: number, value?: unknown];

/** The id of the n-th thing of a kind. */
export function fakeId(kind: 'flow' | 'deployment', index: number): string {
  return `${kind === 'flow' ? '0f' : '0d'}000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

/** Starts one for the running test. */
export async function startFakePrefectServer(options: FakePrefectServerOptions = {}): Promise<FakePrefectServer> {
  const { csrf = false, authorization } = options;
  const failures = [...(options.failures ?? [])];
  const requests: RecordedRequest[] = [];
  const state: State = {
    pools: options.pools ?? { 'docker-pool': 'docker' },
    flows: new Map(),
    deployments: new Map(),
  };
  const answer = (request: RecordedRequest): Answer => {
    const { method, path, headers } = request;
    const failure = failures.shift();
    if (failure !== undefined) return [failure, { exception_message: 'Service Unavailable' }];
    if (authorization !== undefined && headers.authorization !== authorization) {
      return [401, { exception_message: 'Unauthorized' }];
    }
    if (!/^\d+\.\d+\.\d+$/.test(String(headers['x-prefect-api-version']))) return [400, { detail: 'Invalid version' }];
    const url = new URL(path, 'http://server');
    const parts = url.pathname.split('/').slice(2).map(decodeURIComponent);
    if (parts[0] === 'csrf-token') {
      return csrf
        ? [200, { token: `token of ${url.searchParams.get('client')}` }]
        : [422, { detail: 'CSRF protection is disabled.' }];
    }
    const isToken = headers['prefect-csrf-token'] === `token of ${String(headers['prefect-csrf-client'])}`;
    if (csrf && method !== 'GET' && !isToken) return [403, { detail: 'Missing CSRF token.' }];
    return route(method, parts, request.body ?? {}, state);
  };
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const body: Readonly<Record<string, unknown>> | undefined = text === '' ? undefined : JSON.parse(text);
      const request = { method: message.method ?? '', path: message.url ?? '', headers: message.headers, body };
      requests.push(request);
      const [status, value] = answer(request);
      response.writeHead(status, { 'Content-Type': 'application/json', 'Retry-After': '0' });
      response.end(value === undefined ? undefined : JSON.stringify(value));
    });
  });
  await new Promise<void>((fulfil) => server.listen(0, '127.0.0.1', fulfil));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/api`, requests, deployments: state.deployments };
}

interface State {
  readonly pools: Readonly<Record<string, string>>;
  readonly flows: Map<string, string>;
  readonly deployments: Map<string, Record<string, unknown>>;
}

function route(
  method: string,
  [kind, ...parts]: readonly string[],
  body: Readonly<Record<string, unknown>>,
  state: State,
): Answer {
  switch (`${method} ${kind}/${parts.length === 1 && parts[0] !== '' ? 'ID' : (parts[0] ?? '')}`) {
    case 'GET work_pools/ID': {
      const type = state.pools[parts[0] ?? ''];
      return type === undefined ? [404, { detail: 'Work pool not found' }] : [200, { name: parts[0], type }];
    }
    case 'POST flows/':
      return checked(flowCreate, body, () => makeFlow(String(body['name']), state));
    case 'GET deployments/name': {
      const found = state.deployments.get(`${parts[1]}/${parts[2]}`);
      return found === undefined ? [404, { detail: 'Deployment not found' }] : [200, found];
    }
    case 'POST deployments/':
      return checked(deploymentCreate, body, () => makeDeployment(body, state));
    case 'PATCH deployments/ID':
      return checked(deploymentUpdate, body, () => changeDeployment(parts[0] ?? '', body, state));
    default:
      return [404, { detail: 'Not Found' }];
  }
}

/** As Prefect answers to a body that its models do not take. */
function checked(payload: Payload, body: Readonly<Record<string, unknown>>, act: () => Answer): Answer {
  const faults = payloadFaults(payload, body);
  if (faults.length === 0) return act();
  const exception_detail = faults.map(({ loc, ...fault }) => ({ ...fault, loc: ['body', ...loc], input: body }));
  return [422, { exception_message: 'Invalid request received.', exception_detail, request_body: body }];
}

function makeFlow(name: string, { flows }: State): Answer {
  const known = flows.get(name);
  if (known !== undefined) return [200, { id: known, name }];
  const id = fakeId('flow', flows.size);
  flows.set(name, id);
  return [201, { id, name }];
}

function makeDeployment(body: Readonly<Record<string, unknown>>, { pools, flows, deployments }: State): Answer {
  const pool = String(body['work_pool_name']);
  if (pools[pool] === undefined) return [404, { detail: `Work pool "${pool}" not found.` }];
  const misfit = misfitOf(body['job_variables']);
  if (misfit !== undefined) return [422, { detail: `Error creating deployment: ${misfit}` }];
  const flow = [...flows].find(([, id]) => id === body['flow_id'])?.[0];
  if (flow === undefined) return [404, { detail: 'Flow not found' }];
  const stored = { ...body, id: fakeId('deployment', deployments.size) };
  deployments.set(`${flow}/${String(body['name'])}`, stored);
  return [201, stored];
}

function changeDeployment(id: string, body: Readonly<Record<string, unknown>>, { deployments }: State): Answer {
  const stored = [...deployments.values()].find((deployment) => deployment['id'] === id);
  if (stored === undefined) return [404, { detail: 'Deployment not found.' }];
  const misfit = misfitOf(body['job_variables']);
  if (misfit !== undefined) return [409, { detail: `Error creating deployment: ${misfit}` }];
  const { schedules = [] } = body;
  const slugs = (Array.isArray(schedules) ? schedules : []).map(
    (schedule: unknown) => isMapping(schedule) && 'slug' in schedule,
  );
  if (slugs.includes(true) && slugs.includes(false)) {
    return [422, { detail: 'Please provide a slug for each schedule in your request.' }];
  }
  Object.assign(stored, body);
  return [204];
}

/** The pool's template has these two. */
function misfitOf(jobVariables: unknown): string | undefined {
  if (!isMapping(jobVariables)) return undefined;
  const { image = '', env = {} } = jobVariables;
  if (typeof image !== 'string') return `${JSON.stringify(image)} is not of type 'string'`;
  return isMapping(env) ? undefined : `${JSON.stringify(env)} is not of type 'object'`;
}
