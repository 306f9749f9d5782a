import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import type { Agent as SecureAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { BoxwrightError } from '@boxwright/errors';
import { builtins } from './builtins.ts';
import type { Proxy } from './proxies.ts';
import { openTunnel } from './proxy-tunnel.ts';
import { SocketReads } from './socket-reads.ts';
import type { TlsSettings } from './tls-settings.ts';
import { bareHost, portOf } from './url-parts.ts';

/** How an origin is reached. */
export interface OriginRoute {
  /** Any URL of the origin. */
  readonly url: URL;
  readonly proxy: Proxy | undefined;
  readonly tls: TlsSettings | undefined;
  /** Resolves the names of hosts that only some addresses are allowed for. */
  readonly lookup: LookupFunction | undefined;
  readonly connectTimeoutMs: number;
}

/** Keep-alive connections to one origin, all of them made in the same way. */
export class OriginPool {
  private readonly route: OriginRoute;
  private agent: Agent;
  private trustsSystem = false;

  constructor(route: OriginRoute) {
    this.route = route;
    this.agent = this.makeAgent();
  }

  /** True when requests go to a proxy that sees and forwards them, instead of through a tunnel. */
  private get forwards(): boolean {
    return this.route.proxy !== undefined && this.route.url.protocol === 'http:';
  }

  /** Begins a request; nothing is sent before the caller ends it or writes a body. */
  request(url: URL, method: string, headers: Record<string, string>): ClientRequest {
    const { proxy } = this.route;
    const target = this.forwards && proxy !== undefined ? proxy.url : url;
    const options: RequestOptions = {
      agent: this.agent,
      protocol: target.protocol,
      hostname: bareHost(target),
      port: portOf(target),
      method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host },
      // Unset, Node works it out from the host, also for plain HTTP, with a pattern that takes milliseconds to compile.
      ...(target.protocol === 'http:' ? { servername: '' } : {}),
      // Redirects of storage services carry long signatures, and tokens of several KiB exist.
      maxHeaderSize: 65_536,
    };
    if (this.forwards) {
      options.path = `${url.origin}${url.pathname}${url.search}`;
      if (proxy?.authorization !== undefined) {
        options.headers = { ...headers, host: url.host, 'proxy-authorization': proxy.authorization };
      }
    }
    return target.protocol === 'https:' ? builtins.https.request(options) : builtins.http.request(options);
  }

  /** Connections that wait for work are dropped: the server may have closed them meanwhile. */
  dropIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  /**
   * Trusts the authorities of the operating system besides those that Node brings along: asked for only when a
   * certificate was not trusted, because reading them takes time.
   *
   * @returns false when they are trusted already, or certificates are not checked
   */
  trustSystem(): boolean {
    if (this.trustsSystem || this.route.url.protocol !== 'https:' || this.route.tls?.insecure === true) return false;
    this.trustsSystem = true;
    const before = this.agent;
    this.agent = this.makeAgent();
    before.destroy();
    return true;
  }

  close(): void {
    this.agent.destroy();
  }

  private makeAgent(): Agent {
    const { url, proxy, tls, lookup } = this.route;
    const options = {
      keepAlive: true,
      scheduling: 'lifo' as const,
      // Idle connections: shorter than what servers usually keep them, so that few requests meet a closed one.
      timeout: 15_000,
      ...(lookup === undefined ? {} : { lookup }),
    };
    if (this.forwards || url.protocol !== 'https:') {
      const isSecure = this.forwards && proxy?.url.protocol === 'https:';
      return tapped(isSecure ? new builtins.https.Agent(options) : new builtins.http.Agent(options));
    }
    const secure = {
      ...options,
      // One context for all connections: making it parses every certificate.
      ...this.secureContext(),
      ...(tls?.insecure === true ? { rejectUnauthorized: false } : {}),
    };
    const agent = tapped(new builtins.https.Agent(secure));
    if (proxy !== undefined) this.tunnelThrough(agent, proxy);
    return agent;
  }

  private secureContext(): { secureContext?: SecureContext } {
    const { tls } = this.route;
    const options: SecureContextOptions = {};
    if (tls?.cert !== undefined) options.cert = tls.cert;
    if (tls?.key !== undefined) options.key = tls.key;
    if (tls?.ca !== undefined || this.trustsSystem) {
      const usual = builtins.tls.getCACertificates('default');
      const system = this.trustsSystem ? builtins.tls.getCACertificates('system') : [];
      options.ca = [...usual, ...system, ...(tls?.ca ?? [])];
    }
    if (Object.keys(options).length === 0) return {};
    try {
      return { secureContext: builtins.tls.createSecureContext(options) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new BoxwrightError(
        'REGISTRY_CONFIG_INVALID',
        `the certificates or the key for ${this.route.url.host} cannot be used: ${why}`,
        { hint: 'They must be PEM files, and the key must fit the certificate.', cause: error },
      );
    }
  }

  /** Every connection of the agent is made through a tunnel; TLS is agreed on with the origin inside of it. */
  private tunnelThrough(agent: SecureAgent, proxy: Proxy): void {
    const { url, connectTimeoutMs } = this.route;
    const makeSecure = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      openTunnel(url, proxy, connectTimeoutMs, (error, socket) => {
        // The type wants a connection beside the error; Node does not look at it.
        if (error !== undefined) return callback?.(error, undefined as never);
        // tls.connect takes a connection that is there already.
        const inside = { ...options, socket };
        const secure = makeSecure(inside);
        if (secure !== undefined && secure !== null) callback?.(null, secure);
      });
      return undefined;
    };
  }
}

/** The agent, with connections that large bodies can be taken from past the parser. */
function tapped<T extends Agent>(agent: T): T {
  const make = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const reads = new SocketReads();
    const withReads = { ...options, onread: reads.onread };
    const connection = make(withReads, callback);
    if (connection !== undefined && connection !== null) reads.attach(connection);
    return connection;
  };
  return agent;
}
