import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request that the server got. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** As much of a Prefect server as deployments need: pools, flows, deployments. */
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

/** Fields that a create request may have: others are refused, as Prefect's models do. */
const known: readonly string[] = [
  ...['name', 'flow_id', 'entrypoint', 'version', 'description', 'tags', 'parameters', 'parameter_openapi_schema'],
  ...['enforce_parameter_schema', 'paused', 'schedules', 'concurrency_limit', 'concurrency_options', 'work_pool_name'],
  ...['work_queue_name', 'job_variables', 'pull_steps', 'path'],
];

export async function startFakePrefectServer(options: FakePrefectServerOptions = {}): Promise<FakePrefectServer> {
  const { pools = { 'docker-pool': 'docker' }, csrf = false, authorization } = options;
  const failures = [...(options.failures ?? [])];
  const requests: RecordedRequest[] = [];
  const flows = new Map<string, string>();
  const deployments = new Map<string, Record<string, unknown>>();
  const answer = (request: RecordedRequest): readonly [status: number, value?: unknown] => {
    const { method, path, headers, body = {} } = request;
    const failure = failures.shift();
    if (failure !== undefined) return [failure, { detail: 'try later' }];
    if (authorization !== undefined && headers.authorization !== authorization) return [401, { detail: 'no' }];
    const url = new URL(path, 'http://server');
    const parts = url.pathname.split('/').slice(2).map(decodeURIComponent);
    if (parts[0] === 'csrf-token') {
      return csrf
        ? [200, { token: `token of ${url.searchParams.get('client')}` }]
        : [422, { detail: 'CSRF protection is disabled.' }];
    }
    const isToken = headers['prefect-csrf-token'] === `token of ${String(headers['prefect-csrf-client'])}`;
    if (csrf && method !== 'GET' && !isToken) return [403, { detail: 'Missing CSRF token.' }];
    if (parts[0] === 'work_pools' && method === 'GET') {
      const type = pools[parts[1] ?? ''];
      return type === undefined ? [404, { detail: 'Work pool not found' }] : [200, { name: parts[1], type }];
    }
    if (parts[0] === 'flows') {
      const name = String(body['name']);
      const isNew = !flows.has(name);
      if (isNew) flows.set(name, `flow-${flows.size}`);
      return [isNew ? 201 : 200, { id: flows.get(name), name }];
    }
    if (parts[0] === 'deployments' && parts[1] === 'name') {
      const found = deployments.get(`${parts[2]}/${parts[3]}`);
      return found === undefined ? [404, { detail: 'Deployment not found' }] : [200, found];
    }
    const unknown = Object.keys(body).filter((field) => !known.includes(field));
    if (unknown.length > 0) return [422, { detail: `unknown fields ${unknown.join()}` }];
    if (parts[0] === 'deployments' && method === 'POST') {
      if (body['job_variables'] !== undefined && 'bad' in Object(body['job_variables'])) {
        return [422, { detail: 'Error creating deployment: bad is not a variable' }];
      }
      const flow = [...flows].find(([, id]) => id === body['flow_id'])?.[0];
      const stored = { ...body, id: `deployment-${deployments.size}` };
      deployments.set(`${flow}/${String(body['name'])}`, stored);
      return [201, stored];
    }
    if (parts[0] === 'deployments' && method === 'PATCH') {
      if ('name' in body || 'flow_id' in body) return [422, { detail: 'extra fields' }];
      for (const stored of deployments.values()) if (stored['id'] === parts[1]) Object.assign(stored, body);
      return [204];
    }
    return [404, { detail: 'Not Found' }];
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
  return { url: `http://127.0.0.1:${port}/api`, requests, deployments };
}
