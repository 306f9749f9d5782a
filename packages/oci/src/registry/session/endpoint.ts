import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { RegistrySettings } from '../config/registries-config.ts';
import { hostOfRegistry } from '../config/registry-host.ts';
import { isLoopbackHost } from '../transport/address-kind.ts';
import { RequestPace } from './request-pace.ts';

/** Where a registry is, and what was found out about it. */
export interface Endpoint {
  /** Host as references write it: what credentials are looked up for. */
  readonly registry: string;
  /** Base URLs to try, best first; more than one while it is not known whether it speaks TLS. */
  candidates: readonly URL[];
  /** Requests wait for the first one, which finds out which candidate answers. */
  settling: Promise<void> | undefined;
  /** It has answered before, whatever it said: when nobody listens any more, it may be starting anew. */
  hasAnswered: boolean;
  readonly pace: RequestPace | undefined;
  /** Plain HTTP may follow HTTPS. */
  readonly insecure: boolean;
}

/**
 * HTTPS; plain HTTP where the settings say so. This machine's registries are asked over HTTP first, and insecure ones
 * over HTTPS first, with the other one as second choice.
 *
 * @throws BoxwrightError REGISTRY_HOST_UNKNOWN for a host that cannot be one
 */
export function makeEndpoint(registry: string, settings: RegistrySettings): Endpoint {
  const secure = URL.parse(`https://${hostOfRegistry(registry)}/`);
  const plain = URL.parse(`http://${hostOfRegistry(registry)}/`);
  if (secure === null || plain === null || secure.pathname !== '/' || secure.username !== '' || secure.search !== '') {
    throw new BoxwrightError('REGISTRY_HOST_UNKNOWN', `"${escapeForTerminal(registry.slice(0, 300))}" is not a host`, {
      hint: 'A registry is a host name or address, with an optional port: example.com:5000.',
      details: { registry, transient: false },
    });
  }
  return {
    registry,
    candidates: candidates(secure, plain, settings),
    settling: undefined,
    hasAnswered: false,
    pace: settings.requestsPerSecond === undefined ? undefined : new RequestPace(settings.requestsPerSecond),
    insecure: settings.insecure || settings.plainHttp,
  };
}

function candidates(secure: URL, plain: URL, { plainHttp, insecure }: RegistrySettings): readonly URL[] {
  if (plainHttp) return [plain];
  if (isLoopbackHost(secure.hostname)) return [plain, secure];
  return insecure ? [secure, plain] : [secure];
}
