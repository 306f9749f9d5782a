import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { Authenticator } from '../auth/authenticator.ts';
import { emptyConfig, type RegistriesConfig, settingsOf } from '../config/registries-config.ts';
import type { RepositoryName } from '../repository-name.ts';
import type { HttpResponse, HttpTransport } from '../transport/http.ts';
import { answerError, failedTo, isUnexpectedPage, pageError } from './answer-error.ts';
import { type Endpoint, makeEndpoint } from './endpoint.ts';
import { type Mirror, mirrored, mirroredRequest, mirrorsOf } from './mirrors.ts';
import { Notices } from './notices.ts';
import type { Registries, RegistryEvent, RegistryRequest } from './registries.ts';
import { registryExchange } from './registry-exchange.ts';
import { defaultRetryTiming, type RetryTiming, retryDelay } from './retry-delay.ts';
import { wait } from './wait.ts';

/** What {@link openRegistries} needs. */
export interface RegistriesOptions {
  readonly transport: HttpTransport;
  readonly authenticator: Authenticator;
  /** Default: nothing is set. */
  readonly config?: RegistriesConfig;
  readonly onEvent?: (event: RegistryEvent) => void;
  /** Ends everything that goes on. */
  readonly signal?: AbortSignal;
  readonly timing?: Partial<RetryTiming>;
}

/** Registries over one transport, with one user's credentials. */
export function openRegistries(options: RegistriesOptions): Registries {
  return new Session(options);
}

/** A mirror that could not be reached is left alone for this long. */
const MIRROR_REST_MS = 60_000;

class Session implements Registries {
  private readonly options: RegistriesOptions;
  private readonly config: RegistriesConfig;
  private readonly timing: RetryTiming;
  private readonly notices: Notices;
  private readonly endpoints = new Map<string, Endpoint>();
  /** Mirrors that failed, and until when they are not asked. */
  private readonly resting = new Map<string, number>();

  constructor(options: RegistriesOptions) {
    this.options = options;
    this.config = options.config ?? emptyConfig;
    this.timing = { ...defaultRetryTiming, ...options.timing };
    this.notices = new Notices((event) => this.emit(event));
  }

  async send(repository: RepositoryName, given: RegistryRequest): Promise<HttpResponse> {
    const request = this.withSignal(given);
    if (request.allowMirrors === true) {
      const response = await this.askMirrors(repository, request);
      if (response !== undefined) return response;
    }
    const endpoint = this.endpoint(repository.registry);
    for (let tries = 1; ; tries++) {
      try {
        return await this.tryOnce(endpoint, repository, request);
      } catch (error) {
        if (!this.mayTryAgain(error, request) || tries >= this.triesFor(error, endpoint)) throw withTries(error, tries);
        await this.waitAfter(tries, error, repository.registry, request.what, request.signal);
      }
    }
  }

  async ping(registry: string, signal?: AbortSignal): Promise<void> {
    const response = await this.send(
      { registry, path: '' },
      {
        method: 'GET',
        target: '/v2/',
        scopes: [],
        expect: [200],
        what: 'the API version',
        ...(signal === undefined ? {} : { signal }),
      },
    );
    await response.discard();
  }

  concurrency(registry: string): number {
    return settingsOf(this.config, registry).concurrency;
  }

  async pause(tries: number, error: unknown, signal?: AbortSignal): Promise<void> {
    const details = isBoxwrightError(error) ? error.details : {};
    const word = (name: string): string => (typeof details[name] === 'string' ? details[name] : '');
    await this.waitAfter(tries, error, word('registry') || word('host'), word('what'), this.signals(signal));
  }

  isTransient(error: unknown): boolean {
    return isBoxwrightError(error) && error.details['transient'] === true;
  }

  close(): void {
    this.options.transport.close();
  }

  /** An expected answer, or an error that names what was asked for. */
  private async tryOnce(
    endpoint: Endpoint,
    repository: RepositoryName,
    request: RegistryRequest,
  ): Promise<HttpResponse> {
    let response: HttpResponse;
    try {
      response = await registryExchange(this.options, endpoint, repository, request);
    } catch (error) {
      throw request.signal?.aborted === true ? error : inContext(error, request, repository);
    }
    if (response.url.origin === endpoint.candidates[0]?.origin) {
      endpoint.hasAnswered = true;
      this.notices.read(endpoint.registry, response);
    }
    if (!request.expect.includes(response.status)) {
      const { authenticator } = this.options;
      throw await answerError(response, request, repository, () => authenticator.describe(repository));
    }
    if (isUnexpectedPage(response, request)) {
      await response.discard();
      throw pageError(response, request, repository);
    }
    return response;
  }

  /** The answer of the first mirror that has what is asked for. Each is asked once; the registry has the last word. */
  private async askMirrors(repository: RepositoryName, request: RegistryRequest): Promise<HttpResponse | undefined> {
    for (const mirror of mirrorsOf(settingsOf(this.config, repository.registry))) {
      if ((this.resting.get(mirror.host) ?? 0) > performance.now()) continue;
      const there = mirrored(repository, mirror);
      const asked = mirroredRequest(request, repository, there);
      if (asked === undefined) return undefined;
      try {
        return await this.tryOnce(this.mirrorEndpoint(mirror), there, asked);
      } catch (error) {
        request.signal?.throwIfAborted();
        if (this.isTransient(error)) this.resting.set(mirror.host, performance.now() + MIRROR_REST_MS);
        const why = `the mirror ${mirror.host} did not help: ${error instanceof Error ? error.message : String(error)}`;
        this.emit({ kind: 'retry', registry: repository.registry, what: request.what, why, tries: 1, waitMs: 0 });
      }
    }
    return undefined;
  }

  /** Where nobody has ever listened it is more likely a wrong port than a restart: no long wait to be told so. */
  private triesFor(error: unknown, { hasAnswered }: Endpoint): number {
    const isRefused = isBoxwrightError(error) && error.details['system'] === 'ECONNREFUSED';
    return isRefused && !hasAnswered ? Math.min(this.timing.tries, 2) : this.timing.tries;
  }

  private mayTryAgain(error: unknown, request: RegistryRequest): boolean {
    if (!this.isTransient(error) || !isBoxwrightError(error)) return false;
    const retry = request.retry ?? (request.method === 'GET' || request.method === 'HEAD' ? 'safe' : 'once');
    // Surely not acted: there was no connection, or the registry said that it is asked too often.
    return retry === 'safe' || error.details['connected'] === false || error.code === 'REGISTRY_RATE_LIMITED';
  }

  private async waitAfter(
    tries: number,
    error: unknown,
    registry: string,
    what: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const asked = isBoxwrightError(error) ? error.details['retryAfterMs'] : undefined;
    const waitMs = retryDelay(this.timing, tries, typeof asked === 'number' ? asked : undefined, Math.random());
    const why = error instanceof Error ? error.message : String(error);
    this.emit({ kind: 'retry', registry, what, why, tries, waitMs });
    await wait(waitMs, signal);
  }

  private endpoint(registry: string): Endpoint {
    let endpoint = this.endpoints.get(registry);
    if (endpoint === undefined) {
      endpoint = makeEndpoint(registry, settingsOf(this.config, registry));
      this.endpoints.set(registry, endpoint);
    }
    return endpoint;
  }

  private mirrorEndpoint({ host, plainHttp }: Mirror): Endpoint {
    const key = plainHttp ? `http://${host}` : host;
    let endpoint = this.endpoints.get(key);
    if (endpoint === undefined) {
      const settings = settingsOf(this.config, host);
      endpoint = makeEndpoint(host, plainHttp ? { ...settings, plainHttp } : settings);
      this.endpoints.set(key, endpoint);
    }
    return endpoint;
  }

  private withSignal(request: RegistryRequest): RegistryRequest {
    const signal = this.signals(request.signal);
    return signal === undefined ? request : { ...request, signal };
  }

  private signals(given: AbortSignal | undefined): AbortSignal | undefined {
    const { signal } = this.options;
    if (given === undefined || signal === undefined || given === signal) return given ?? signal;
    return AbortSignal.any([given, signal]);
  }

  private emit(event: RegistryEvent): void {
    this.options.onEvent?.(event);
  }
}

/** The error with what was asked for before it, if it does not say that already. */
function inContext(error: unknown, request: RegistryRequest, repository: RepositoryName): unknown {
  if (!isBoxwrightError(error) || typeof error.details['what'] === 'string') return error;
  if (!contextless.has(error.code)) return error;
  return new BoxwrightError(error.code, `${failedTo(request, repository)}: ${error.message}`, {
    hint: error.hint ?? hints.get(error.code),
    cause: error,
    details: {
      ...error.details,
      registry: repository.registry,
      repository: repository.path,
      what: request.what,
    },
  });
}

/** Codes of the transport, which knows hosts only; other errors (of credentials) speak for themselves. */
const contextless: ReadonlySet<string> = new Set([
  'REGISTRY_CONNECTION',
  'REGISTRY_HOST_UNKNOWN',
  'REGISTRY_TLS',
  'REDIRECT_REFUSED',
  'REGISTRY_ANSWER_INVALID',
]);

const hints: ReadonlyMap<string, string> = new Map([
  [
    'REDIRECT_REFUSED',
    'A registry may not send its users to their own machine or network. If you trust it with that, set "privateRedirects": true for it in registries.json.',
  ],
]);

/** Says how often it was tried, when that was more than once. */
function withTries(error: unknown, tries: number): unknown {
  if (tries === 1 || !isBoxwrightError(error)) return error;
  return new BoxwrightError(error.code, `${error.message} (tried ${tries} times)`, {
    hint: error.hint,
    cause: error.cause,
    details: { ...error.details, tries },
  });
}
