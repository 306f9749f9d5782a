import type { AddressKind } from './address-kind.ts';
import { type AddressClassifier, Addresses } from './addresses.ts';
import { connectionError, errorCode, isUnknownAuthority } from './connection-errors.ts';
import { exchange } from './exchange.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from './http.ts';
import { OriginPool } from './origin-pool.ts';
import { describeProxy, type Proxy, type ProxyChoice, proxiesFromEnvironment } from './proxies.ts';
import type { Response } from './response.ts';
import { defaultTimeouts, type Timeouts } from './timeouts.ts';
import type { TlsChoice } from './tls-settings.ts';

/** How to reach hosts. All is optional. */
export interface TransportOptions {
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are read from; default: no proxies. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly tls?: TlsChoice;
  readonly timeouts?: Partial<Timeouts>;
  /** Hosts that may name any address: see `HttpRequest.namedBy`. */
  readonly isTrustedNamer?: (url: URL) => boolean;
  /** Default: `boxwright`. */
  readonly userAgent?: string;
  /** For tests, where everything is on loopback addresses: what kind an address counts as. */
  readonly classifyAddress?: AddressClassifier;
}

/** Connections over `node:http` and `node:https`, kept alive by origin. */
export function createTransport(options: TransportOptions = {}): HttpTransport {
  return new Transport(options);
}

class Transport implements HttpTransport {
  private readonly options: TransportOptions;
  private readonly timeouts: Timeouts;
  private readonly addresses: Addresses;
  private readonly chooseProxy: ProxyChoice;
  /** By origin and by who may have named it. */
  private readonly pools = new Map<string, OriginPool>();
  /** Failures of connections that had been idle. */
  private readonly stale = new WeakSet<Error>();

  constructor(options: TransportOptions) {
    this.options = options;
    this.timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.addresses = new Addresses(options.classifyAddress);
    this.chooseProxy = proxiesFromEnvironment(options.env ?? {});
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const proxy = this.chooseProxy(request.url);
    const namer = await this.namerKind(request);
    if (namer !== undefined) this.addresses.checkLiteral(request.url.hostname, namer);
    const pool = this.pool(request.url, proxy, namer);
    try {
      return await this.tryOn(pool, request, proxy);
    } catch (error) {
      if (!this.isMended(error, pool, request)) throw error;
      return await this.tryOn(pool, request, proxy);
    }
  }

  close(): void {
    for (const pool of this.pools.values()) pool.close();
    this.pools.clear();
  }

  private async tryOn(pool: OriginPool, request: HttpRequest, proxy: Proxy | undefined): Promise<Response> {
    const through = proxy === undefined ? undefined : describeProxy(proxy);
    let client: ReturnType<OriginPool['request']>;
    try {
      client = pool.request(request.url, request.method, this.headers(request));
    } catch (error) {
      // A header or path that cannot be sent, or a certificate or key that cannot be read.
      throw connectionError(error, { url: request.url, proxy: through, connected: false, sent: false });
    }
    try {
      return await exchange({
        client,
        request,
        proxy: through,
        timeouts: this.timeouts,
        onConnected: (socket) => {
          const address = socket.remoteAddress;
          if (proxy === undefined && address !== undefined) this.addresses.record(request.url.hostname, address);
        },
      });
    } catch (error) {
      if (client.reusedSocket && isDropped(error)) this.stale.add(error);
      throw error;
    }
  }

  /** True when the same request may be sent again at once, and will meet something else. */
  private isMended(error: unknown, pool: OriginPool, request: HttpRequest): error is Error {
    if (!(error instanceof Error)) return false;
    if (isUnknownAuthority(error.cause)) return pool.trustSystem();
    // The server closed an idle connection while the request was on its way, or it seems so: only what may be done twice
    // is sent again without asking (RFC 9112, section 9.3.1).
    const again = request.body === undefined || request.body instanceof Uint8Array;
    const isIdempotent = request.method !== 'POST' && request.method !== 'PATCH';
    if (!this.stale.has(error) || !again || !isIdempotent) return false;
    pool.dropIdle();
    return true;
  }

  private headers({ headers, body, bodySize, method }: HttpRequest): Record<string, string> {
    const all: Record<string, string> = {
      'user-agent': this.options.userAgent ?? 'boxwright',
      ...headers,
      // What is hashed and counted is what is sent (threats R4).
      'accept-encoding': 'identity',
    };
    if (body instanceof Uint8Array) all['content-length'] = `${body.length}`;
    else if (body === undefined) {
      if (method !== 'GET' && method !== 'HEAD') all['content-length'] = '0';
    } else if (bodySize !== undefined) all['content-length'] = `${bodySize}`;
    else all['transfer-encoding'] = 'chunked';
    return all;
  }

  /** Undefined when the user named the URL, or the same host did. */
  private async namerKind({ namedBy, url }: HttpRequest): Promise<AddressKind | undefined> {
    if (namedBy === undefined || namedBy.hostname === url.hostname) return undefined;
    if (this.options.isTrustedNamer?.(namedBy) === true) return undefined;
    const throughProxy = this.chooseProxy(namedBy) !== undefined;
    try {
      return await this.addresses.kindOf(namedBy.hostname, throughProxy);
    } catch {
      // It has answered before, so it has an address; without knowing which, nothing near may be named.
      return 'public';
    }
  }

  private pool(url: URL, proxy: Proxy | undefined, namer: AddressKind | undefined): OriginPool {
    const key = `${url.origin} ${namer ?? ''}`;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      pool = new OriginPool({
        url,
        proxy,
        tls: url.protocol === 'https:' ? this.options.tls?.(url) : undefined,
        // A proxy resolves names itself, and its own address is none of the namer's business.
        lookup: namer === undefined || proxy !== undefined ? undefined : this.addresses.guardedLookup(namer),
        connectTimeoutMs: this.timeouts.connect,
      });
      this.pools.set(key, pool);
    }
    return pool;
  }
}

function isDropped(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = errorCode(error.cause);
  return code === 'ECONNRESET' || code === 'EPIPE';
}
