import type { Scope } from '../auth/authenticator.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { HttpResponse } from '../transport/http.ts';

/** A request to the registry that a repository is in. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/v2/...`, or an absolute or relative URL that the registry gave (Location, Link). */
  readonly target: string | URL;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes can be sent again; a stream is made anew for each try, and is not made when the body was refused before. */
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>);
  readonly bodySize?: number;
  /** Statuses that are answers; any other is thrown, once it is known that trying again does not help. */
  readonly expect: readonly number[];
  /**
   * `safe`: tried again after connection loss, 408, 429 and 5xx. `once`: only when the server has surely not acted (no
   * connection, 429, 401 before the body). Default: safe for GET and HEAD, once for others.
   */
  readonly retry?: 'safe' | 'once';
  /** For messages: `blob sha256:…`, `manifest 1.2`. */
  readonly what: string;
  /** Reading content: mirrors of the registry may answer, redirects to other hosts (storage) are followed without credentials. */
  readonly allowMirrors?: boolean;
  readonly signal?: AbortSignal;
}

/** What happens beneath, for progress, ledgers and tests. */
export type RegistryEvent =
  | { readonly kind: 'warning'; readonly registry: string; readonly text: string }
  | {
      readonly kind: 'retry';
      readonly registry: string;
      readonly what: string;
      readonly why: string;
      readonly tries: number;
      readonly waitMs: number;
    }
  | { readonly kind: 'rate-limit'; readonly registry: string; readonly limit: string; readonly remaining: string };

/** Registries, as the rest sees them: base URLs, mirrors, authentication, retries and redirects are dealt with. */
export interface Registries {
  /**
   * @throws BoxwrightError see docs/errors.md, "Registries"; each names host, repository and what was asked for
   */
  send(repository: RepositoryName, request: RegistryRequest): Promise<HttpResponse>;
  /** Requests at a time that this registry may get (configuration; default 6 for blobs). */
  concurrency(registry: string): number;
  /** Waits before a try: jittered back-off for uploads, which try again on their own. */
  pause(tries: number, error: unknown, signal?: AbortSignal): Promise<void>;
  /** True for an error after which the same may work a moment later. */
  isTransient(error: unknown): boolean;
  /**
   * Asks whether this is a registry that takes the credentials there are (distribution spec, end-1: GET /v2/).
   *
   * @throws BoxwrightError as {@link send}
   */
  ping(registry: string, signal?: AbortSignal): Promise<void>;
  close(): void;
}
