import { checkAccess, type TestAuth } from './access-control.ts';
import { blobReply, blobRoute } from './blob-routes.ts';
import { type Fault, FaultScript, type RequestFilter } from './faults.ts';
import { catalogRoute, referrersRoute, tagsRoute } from './listing-routes.ts';
import { manifestRoute } from './manifest-routes.ts';
import { RegistryContent, type TestRepository } from './registry-content.ts';
import { type LoggedRequest, RequestLog } from './request-log.ts';
import { failed, type RegistryBehaviour, type Route } from './route.ts';
import { type Handler, type Reply, serve, type TestRequest, type TlsOptions } from './test-server.ts';
import { type Grant, TokenService } from './token-service.ts';
import { startUploadRoute, uploadRoute } from './upload-routes.ts';

/** What {@link startTestRegistry} may be told. */
export interface TestRegistryOptions extends RegistryBehaviour {
  readonly auth?: TestAuth;
  readonly tls?: TlsOptions;
  readonly port?: number;
  /** Address to listen at; default 127.0.0.1. */
  readonly address?: string;
  readonly faults?: readonly Fault[];
}

/** A registry in this process. */
export interface TestRegistry {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT`: what references begin with. */
  readonly host: string;
  /** Host of the second origin: blobs are redirected to it, uploads lead to it. */
  readonly elsewhere: string;
  /** Every request that came, in order, token requests and those to the second origin included. */
  readonly requests: LoggedRequest[];
  readonly content: RegistryContent;
  readonly faults: FaultScript;
  /** The token service, where authentication is by token. */
  readonly tokens: TokenService | undefined;
  /** What a repository holds; made when it is not there. */
  repository(name: string): TestRepository;
  /** How many requests fit. */
  count(filter?: RequestFilter): number;
  /** `METHOD path` of the requests that fit, in order. */
  log(filter?: RequestFilter): string[];
  /** Forgets the requests so far. */
  clearLog(): void;
  close(): Promise<void>;
  /** As {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a registry that keeps everything in memory and follows the OCI distribution specification 1.1: uploads of every
 * form, mounts, referrers, pages, deletes, ranges; with authentication, TLS and faults as asked for.
 */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const { auth = { kind: 'none' } } = options;
  const content = new RegistryContent();
  const log = new RequestLog(new FaultScript(options.faults));
  const tokens = auth.kind === 'token' ? new TokenService(auth) : undefined;

  const second = await serve((request) => elsewhereRoute(request, content, options, second.url), {
    begin: (request, exchange) => log.begin(request, exchange, 'elsewhere'),
  });
  const handler: Handler = async (request) => {
    const { pathname } = request.url;
    if (pathname === '/token' && tokens !== undefined) return tokens.handle(request);
    const target = parsePath(pathname);
    if (target === undefined) return failed(404, 'UNSUPPORTED', 'page not found');
    const needs = target.kind === 'ping' ? [] : needsOf(request, target);
    const refusal = checkAccess(auth, tokens, request, request.url.origin, needs);
    if (refusal !== undefined) return withStandardHeaders(refusal, options);
    if (target.kind === 'ping') return withStandardHeaders({ status: 200, body: Buffer.from('{}') }, options);
    const exists = content.repositories.has(target.name);
    const repository = exists || request.method === 'POST' || request.method === 'PUT' ? target.name : undefined;
    const route: Route = {
      request,
      content,
      name: target.name,
      repository: repository === undefined ? new RegistryContent().repository('none') : content.repository(repository),
      behaviour: options,
      base: request.url.origin,
      elsewhere: second.url,
    };
    return withStandardHeaders(await dispatch(route, target), options);
  };
  const first = await serve(handler, {
    begin: (request, exchange) => log.begin(request, exchange),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.address === undefined ? {} : { address: options.address }),
  });

  const close = async (): Promise<void> => {
    await Promise.all([first.close(), second.close()]);
  };
  return {
    url: first.url,
    host: first.host,
    elsewhere: second.host,
    requests: log.requests,
    content,
    faults: log.faults,
    tokens,
    repository: (name) => content.repository(name),
    count: (filter) => log.select(filter).length,
    log: (filter) => log.select(filter).map(({ method, path }) => `${method} ${path}`),
    clearLog: () => {
      log.requests.length = 0;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What a path of the registry is about. */
interface Target {
  readonly kind: 'ping' | 'catalog' | 'tags' | 'referrers' | 'manifest' | 'blob' | 'start-upload' | 'upload';
  readonly name: string;
  readonly id: string;
}

const NAME = '([a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)';
const PATHS: readonly (readonly [Target['kind'], RegExp])[] = [
  ['catalog', /^\/v2\/(_catalog)$/],
  ['tags', new RegExp(`^/v2/${NAME}/tags/list$`)],
  ['referrers', new RegExp(`^/v2/${NAME}/referrers/([^/]+)$`)],
  ['manifest', new RegExp(`^/v2/${NAME}/manifests/([^/]+)$`)],
  ['start-upload', new RegExp(`^/v2/${NAME}/blobs/uploads/?$`)],
  ['upload', new RegExp(`^/v2/${NAME}/blobs/uploads/([^/]+)$`)],
  ['blob', new RegExp(`^/v2/${NAME}/blobs/([^/]+)$`)],
];

function parsePath(pathname: string): Target | undefined {
  if (pathname === '/v2/' || pathname === '/v2') return { kind: 'ping', name: '', id: '' };
  for (const [kind, pattern] of PATHS) {
    const match = pattern.exec(pathname);
    if (match !== null) return { kind, name: match[1] ?? '', id: decodeURIComponent(match[2] ?? '') };
  }
  return undefined;
}

function dispatch(route: Route, { kind, id }: Target): Reply | Promise<Reply> {
  switch (kind) {
    case 'catalog':
      return catalogRoute(route);
    case 'tags':
      return tagsRoute(route);
    case 'referrers':
      return referrersRoute(route, id);
    case 'manifest':
      return manifestRoute(route, id);
    case 'start-upload':
      return startUploadRoute(route);
    case 'upload':
      return uploadRoute(route, id);
    case 'blob':
      return blobRoute(route, id);
    case 'ping':
      return { status: 200 };
    default:
      return kind satisfies never;
  }
}

/** Scopes that a request needs, as CNCF Distribution asks for them. */
function needsOf({ method, url }: TestRequest, { kind, name }: Target): Grant[] {
  if (kind === 'catalog') return [{ type: 'registry', name: 'catalog', actions: ['*'] }];
  const actions =
    method === 'GET' || method === 'HEAD' ? ['pull'] : method === 'DELETE' ? ['delete'] : ['pull', 'push'];
  const uploads = kind === 'upload' || kind === 'start-upload';
  const from = kind === 'start-upload' ? url.searchParams.get('from') : null;
  return [
    { type: 'repository', name, actions: uploads ? ['pull', 'push'] : actions },
    ...(from === null ? [] : [{ type: 'repository', name: from, actions: ['pull'] }]),
  ];
}

function withStandardHeaders(reply: Reply, { warnings = [] }: RegistryBehaviour): Reply {
  return {
    ...reply,
    headers: {
      'docker-distribution-api-version': 'registry/2.0',
      ...(reply.body === undefined ? { 'content-length': '0' } : {}),
      ...(warnings.length === 0 ? {} : { warning: warnings }),
      ...reply.headers,
    },
  };
}

/** The other origin: storage that answers whoever has the URL, and refuses credentials as object stores do. */
async function elsewhereRoute(
  request: TestRequest,
  content: RegistryContent,
  behaviour: RegistryBehaviour,
  base: string,
): Promise<Reply> {
  if (request.headers.authorization !== undefined) {
    return { status: 400, body: Buffer.from('<Error><Code>InvalidArgument</Code></Error>') };
  }
  const digest = /^\/storage\/([^/]+)$/.exec(request.url.pathname)?.[1];
  const blob = digest === undefined ? undefined : content.anyBlob(digest);
  if (digest !== undefined && blob !== undefined) return blobReply(request, digest, blob, behaviour.ranges !== false);
  const target = parsePath(request.url.pathname);
  if (target?.kind !== 'upload') return { status: 404, body: Buffer.from('<Error><Code>NoSuchKey</Code></Error>') };
  return uploadRoute(
    {
      request,
      content,
      name: target.name,
      repository: content.repository(target.name),
      behaviour,
      base,
      elsewhere: base,
    },
    target.id,
  );
}
