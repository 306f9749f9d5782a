import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../../auth/authenticator.ts';
import type { RegistriesConfig } from '../../config/registries-config.ts';
import type { AddressKind } from '../../transport/address-kind.ts';
import { addressKind } from '../../transport/address-kind.ts';
import {
  type Handler,
  type LoopbackOptions,
  type LoopbackServer,
  startServer,
} from '../../transport/testing/loopback-server.ts';
import type { TlsChoice } from '../../transport/tls-settings.ts';
import { createTransport } from '../../transport/transport.ts';
import { openRegistries } from '../open-registries.ts';
import type { Registries, RegistryEvent, RegistryRequest } from '../registries.ts';
import type { RetryTiming } from '../retry-delay.ts';

/** What a session test may set. */
export interface SessionOptions {
  readonly config?: RegistriesConfig;
  readonly authenticator?: Authenticator;
  readonly timing?: Partial<RetryTiming>;
  readonly signal?: AbortSignal;
  readonly tls?: TlsChoice;
  readonly isTrustedNamer?: (url: URL) => boolean;
}

/** Registries on loopback addresses, of which 127.0.0.2 counts as a public one. */
export interface TestSession {
  readonly registries: Registries;
  readonly events: RegistryEvent[];
  stop(): void;
}

const standIns: ReadonlyMap<string, AddressKind> = new Map([
  ['127.0.0.2', 'public'],
  ['127.0.0.3', 'public'],
]);

/** Registries with quick retries. */
export function openSession(options: SessionOptions = {}): TestSession {
  const { authenticator = fixedHeader(undefined), timing, tls, isTrustedNamer, ...more } = options;
  const transport = createTransport({
    classifyAddress: (address) => standIns.get(address) ?? addressKind(address),
    timeouts: { answer: 1000, connect: 1000 },
    ...(tls === undefined ? {} : { tls }),
    ...(isTrustedNamer === undefined ? {} : { isTrustedNamer }),
  });
  const events: RegistryEvent[] = [];
  const registries = openRegistries({
    transport,
    authenticator,
    timing: { firstMs: 2, maxMs: 10, ...timing },
    onEvent: (event) => events.push(event),
    ...more,
  });
  return { registries, events, stop: () => registries.close() };
}

/** Sends the same header to everybody who is asked about; answers no challenge. */
export function fixedHeader(header: string | undefined): Authenticator {
  return { header: async () => header, answer: async () => undefined, describe: async () => 'no credentials' };
}

/** What a server saw. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** A server that keeps what it was asked. */
export async function startSeeing(
  answer: (request: SeenRequest, response: ServerResponse, incoming: IncomingMessage) => void | Promise<void>,
  options: LoopbackOptions = {},
): Promise<LoopbackServer & { readonly seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const handler: Handler = (incoming, response) => {
    const request = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
    seen.push(request);
    return answer(request, response, incoming);
  };
  return Object.assign(await startServer(handler, options), { seen });
}

/** A GET of a manifest of `app`, unless said otherwise. */
export function manifestRequest(more: Partial<RegistryRequest> = {}): RegistryRequest {
  return { method: 'GET', target: '/v2/app/manifests/1', scopes: [], expect: [200], what: 'manifest 1', ...more };
}
