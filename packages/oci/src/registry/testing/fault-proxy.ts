import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type Fault, FaultScript, type RequestFilter } from './faults.ts';
import { type LoggedRequest, RequestLog } from './request-log.ts';
import { type Reply, serve, type TestRequest } from './test-server.ts';

/** What {@link startFaultProxy} may be told. */
export interface FaultProxyOptions {
  /** `http://127.0.0.1:PORT` of the registry behind it. */
  readonly upstream: string;
  readonly faults?: readonly Fault[];
}

/** A server that passes requests on to a registry, and lets them go wrong on the way. */
export interface FaultProxy {
  readonly url: string;
  /** What references begin with. */
  readonly host: string;
  readonly requests: LoggedRequest[];
  readonly faults: FaultScript;
  /** How many requests fit. */
  count(filter?: RequestFilter): number;
  /** Ends the proxy; the registry goes on. */
  close(): Promise<void>;
}

/**
 * Starts a proxy before a registry that speaks plain HTTP. The Host header is passed on as it came, so that the
 * registry's Locations lead through the proxy again. Bodies are streamed both ways.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const log = new RequestLog(new FaultScript(options.faults));
  const agent = new Agent({ keepAlive: true });
  const server = await serve((request) => forward(request, options.upstream, agent), {
    begin: (request, exchange) => log.begin(request, exchange),
  });
  return {
    url: server.url,
    host: server.host,
    requests: log.requests,
    faults: log.faults,
    count: (filter) => log.select(filter).length,
    close: async () => {
      await server.close();
      agent.destroy();
    },
  };
}

async function forward(request: TestRequest, upstream: string, agent: Agent): Promise<Reply> {
  const target = new URL(`${request.url.pathname}${request.url.search}`, upstream);
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  const outgoing = httpRequest(target, { method: request.method, headers: withoutHops(request.headers), agent });
  const answered = new Promise<IncomingMessage>((fulfil, reject) => {
    outgoing.once('response', fulfil);
    outgoing.once('error', reject);
  });
  answered.catch(() => {});
  try {
    if (hasBody) {
      for await (const piece of request.body) {
        // An answer that comes early ends the sending.
        if (!outgoing.write(piece)) await Promise.race([drained(outgoing), answered]);
      }
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy(); // the client was cut off: so is the registry
    throw error;
  }
  const answer = await answered;
  const headers = Object.entries(withoutHops(answer.headers));
  return {
    status: answer.statusCode ?? 502,
    headers: Object.fromEntries(headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    body: answer,
  };
}

function drained(outgoing: ReturnType<typeof httpRequest>): Promise<void> {
  return new Promise((fulfil) => {
    outgoing.once('drain', fulfil);
  });
}

/** Headers without those of the connection (RFC 9110, section 7.6.1). */
function withoutHops(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { connection: _connection, 'keep-alive': _alive, ...rest } = headers;
  return rest;
}
