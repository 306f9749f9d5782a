import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { type TlsFailure, tlsFailure } from './tls-failure.ts';

/** What was going on when a connection failed. */
export interface ExchangeState {
  readonly url: URL;
  /** `http://proxy:3128`, where there is one between. */
  readonly proxy: string | undefined;
  /** The connection was there (over TLS: agreed on), so that the server may have acted. */
  readonly connected: boolean;
  /** A byte of the request's body was taken. */
  readonly sent: boolean;
}

/** The error's `code` of the operating system, OpenSSL or Node, if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A failed exchange as an error of ours; see `HttpTransport.send` for codes and details. */
export function connectionError(error: unknown, state: ExchangeState): BoxwrightError {
  if (error instanceof BoxwrightError) return error;
  // With several addresses of a name to try, Node throws one error for all of them.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = errorCode(error) ?? errorCode(first) ?? '';
  const text = first instanceof Error ? first.message : String(first);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_FAIL' || code === 'EAI_NODATA') {
    return unknownHost(error, code, state);
  }
  const failure = tlsFailure(code, text);
  if (failure !== undefined) return tlsError(error, code, failure, state);
  return lost(reasonOf(code, text), state, { cause: error, details: { system: code } });
}

/** REGISTRY_CONNECTION; worth another try unless `transient` says no. */
export function lost(
  why: string,
  state: ExchangeState,
  options: {
    readonly cause?: unknown;
    readonly hint?: string;
    readonly transient?: boolean;
    readonly details?: Readonly<Record<string, unknown>>;
  } = {},
): BoxwrightError {
  const via = state.proxy === undefined ? '' : ` through the proxy ${state.proxy}`;
  const verb = state.connected ? 'the connection to' : 'no connection to';
  const hint =
    options.hint ??
    (state.connected
      ? undefined
      : 'Check the host and port, whether the server runs, and firewalls or proxies between.');
  return new BoxwrightError('REGISTRY_CONNECTION', `${verb} ${state.url.host}${via}: ${why}`, {
    hint,
    cause: options.cause,
    details: { ...facts(state), transient: options.transient ?? true, ...options.details },
  });
}

function unknownHost(cause: unknown, code: string, state: ExchangeState): BoxwrightError {
  const name = state.proxy === undefined ? state.url.hostname : `of the proxy ${state.proxy}`;
  const why = code === 'EAI_AGAIN' ? 'the name server does not answer' : 'there is no such host';
  return new BoxwrightError('REGISTRY_HOST_UNKNOWN', `the host name ${name} cannot be resolved: ${why}`, {
    hint: 'Check the spelling of the registry, the network, and /etc/resolv.conf.',
    cause,
    details: { ...facts(state), transient: code === 'EAI_AGAIN', system: code },
  });
}

function tlsError(cause: unknown, code: string, failure: TlsFailure, state: ExchangeState): BoxwrightError {
  return new BoxwrightError('REGISTRY_TLS', `no trusted TLS connection to ${state.url.host}: ${failure.why}`, {
    hint: tlsHints[failure.kind],
    cause,
    details: { ...facts(state), transient: false, system: code, plainHttp: failure.kind === 'plain-http' },
  });
}

function facts({ url, connected, sent }: ExchangeState): Record<string, unknown> {
  return { host: url.host, connected, sent };
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the other side dropped it'],
  ['EPIPE', 'the other side closed it'],
  ['ETIMEDOUT', 'it timed out'],
  ['EHOSTUNREACH', 'there is no route to the host'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['EADDRNOTAVAIL', 'no local address or port is left for it'],
  ['EMFILE', 'too many files and connections are open'],
  ['HPE_HEADER_OVERFLOW', 'the headers of the answer are too large'],
]);

function reasonOf(code: string, text: string): string {
  const known = reasons.get(code);
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return `what came back is not HTTP (${escapeForTerminal(text.slice(0, 200))})`;
  return escapeForTerminal(text.slice(0, 200));
}

/** What helps against each kind of failure. */
const tlsHints: Readonly<Record<TlsFailure['kind'], string>> = {
  'plain-http': 'If that is meant, set "plainHttp": true for it in registries.json, or use --insecure.',
  'other-name': 'Use the name that the certificate is made for, or have one made for this name.',
  'client-certificate': 'Set "cert" and "key" for it in registries.json, or put them into certs.d.',
  untrusted:
    'Trust its authority with "ca" in registries.json or a ca.crt in certs.d; --insecure goes on without any check.',
  other: 'Check whether it is a TLS server, and proxies between.',
};

/** OpenSSL's verification results that another trusted authority would mend. */
export function isUnknownAuthority(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  return /^(?:UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT)/.test(code);
}
