/** One HTTP exchange. Redirects are not followed, answers of any status are answers. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, or a stream that is asked for once. Pieces of a stream are valid until the next one is asked for. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Bytes of a streamed body, sent as Content-Length; absent: chunked. */
  readonly bodySize?: number;
  readonly signal?: AbortSignal;
  /** How long the answer's first byte may take once the body is sent, in milliseconds; the transport has a default. */
  readonly answerTimeoutMs?: number;
  /**
   * The URL whose answer named this one (redirect, upload Location, token realm), where the user did not: addresses that
   * are nearer to this machine than that host's own are refused, so that a stranger's registry cannot make us talk to
   * our own services (threats R1). The connection goes to the very address that was checked.
   */
  readonly namedBy?: URL;
}

/** What came back. The body must be read to its end or discarded, so that the connection is free again. */
export interface HttpResponse {
  readonly status: number;
  /** The URL that was asked. */
  readonly url: URL;
  /** The first value of a header, by lower-case name. */
  header(name: string): string | undefined;
  /** Every value of a header that may come more than once (`www-authenticate`, `warning`, `link`). */
  headers(name: string): readonly string[];
  /**
   * The body, to be iterated once, as it came over the wire: a Content-Encoding that nobody asked for is not undone, so
   * that what is counted is what was sent. Each piece is valid until the next one is asked for. Throws BoxwrightError REGISTRY_CONNECTION when it ends early or stalls.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole of a small body. @throws BoxwrightError REGISTRY_ANSWER_INVALID when it has more than `limit` bytes */
  bytes(limit: number): Promise<Buffer>;
  /** Nothing more is wanted: reads a short rest, drops the connection otherwise. Never throws. */
  discard(): Promise<void>;
}

/** Connections to hosts: pools, proxies, TLS. Knows nothing of registries. */
export interface HttpTransport {
  /**
   * @throws BoxwrightError REGISTRY_CONNECTION (refused, reset, timed out), REGISTRY_HOST_UNKNOWN (name does not
   *   resolve), REGISTRY_TLS (certificate), REDIRECT_REFUSED (see {@link HttpRequest.namedBy}); the signal's reason.
   *   `details.transient`: the same may work a moment later; `details.connected`: there was a connection, so that the
   *   server may have acted; `details.sent`: a byte of the body was taken
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Drops all connections. The transport can be used again. */
  close(): void;
}
