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
  /** The body, to be iterated once. Throws BoxwrightError REGISTRY_CONNECTION when it ends early or stalls. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole of a small body. @throws BoxwrightError REGISTRY_ANSWER_INVALID when it has more than `limit` bytes */
  bytes(limit: number): Promise<Buffer>;
  /** Nothing more is wanted: reads a short rest, drops the connection otherwise. */
  discard(): Promise<void>;
}

/** Connections to hosts: pools, proxies, TLS. Knows nothing of registries. */
export interface HttpTransport {
  /**
   * @throws BoxwrightError REGISTRY_CONNECTION (refused, reset, timed out; `details.sent` says whether a byte of the body
   *   was taken), REGISTRY_HOST_UNKNOWN (name does not resolve), REGISTRY_TLS (certificate); the signal's reason
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Ends idle connections, so that the process can end. */
  close(): void;
}
