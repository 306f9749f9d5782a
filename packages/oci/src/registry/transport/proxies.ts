import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { inRange, isLoopbackHost, parseAddress } from './address-kind.ts';
import { portOf } from './url-parts.ts';

/** A proxy and what it is told about who we are. */
export interface Proxy {
  readonly url: URL;
  /** `Basic …`, from user and password of the URL. */
  readonly authorization: string | undefined;
}

/** Which proxy, if any, a URL is asked through. */
export type ProxyChoice = (url: URL) => Proxy | undefined;

/**
 * Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY (upper case first, as Docker and other Go programs do). This machine is
 * never asked through a proxy. HTTP_PROXY is ignored where REQUEST_METHOD is set: a CGI program gets it from its client.
 *
 * The variables are read and checked at the first choice, so that commands which talk to nobody do not fail for them.
 *
 * @throws BoxwrightError REGISTRY_CONFIG_INVALID, from the choice
 */
export function proxiesFromEnvironment(env: Readonly<Record<string, string | undefined>>): ProxyChoice {
  const variable = (name: string): [value: string, name: string] => {
    const lower = name.toLowerCase();
    const upperValue = env[name] ?? '';
    return upperValue === '' ? [env[lower] ?? '', lower] : [upperValue, name];
  };
  let rules: { http: Proxy | undefined; https: Proxy | undefined; isExempt: (url: URL) => boolean } | undefined;
  return (url) => {
    rules ??= {
      http: env['REQUEST_METHOD'] === undefined ? parseProxy(...variable('HTTP_PROXY')) : undefined,
      https: parseProxy(...variable('HTTPS_PROXY')),
      isExempt: parseExemptions(variable('NO_PROXY')[0]),
    };
    const proxy = url.protocol === 'https:' ? rules.https : rules.http;
    return proxy === undefined || isLoopbackHost(url.hostname) || rules.isExempt(url) ? undefined : proxy;
  };
}

/** How a proxy is named in messages: without its credentials. */
export function describeProxy({ url }: Proxy): string {
  return `${url.protocol}//${url.host}`;
}

function parseProxy(value: string, variable: string): Proxy | undefined {
  const text = value.trim();
  if (text === '') return undefined;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || url.hostname === '') throw invalid(variable, 'it is not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(variable, `proxies of the kind ${escapeForTerminal(url.protocol.slice(0, -1))} are not supported`);
  }
  const authorization =
    url.username === '' && url.password === ''
      ? undefined
      : `Basic ${Buffer.from(`${decode(url.username)}:${decode(url.password)}`).toString('base64')}`;
  url.username = '';
  url.password = '';
  return { url, authorization };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that was meant as one.
    return text;
  }
}

/** The value is not shown: it may hold a password. */
function invalid(variable: string, why: string): BoxwrightError {
  return new BoxwrightError('REGISTRY_CONFIG_INVALID', `the proxy in ${variable} cannot be used: ${why}`, {
    hint: `Set ${variable} to http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, or unset it.`,
    details: { variable },
  });
}

/**
 * NO_PROXY as Go's `httpproxy` reads it: `*`, addresses, CIDR ranges, names (with everything below them; only what is
 * below when they begin with a dot), each with an optional port.
 */
function parseExemptions(value: string): (url: URL) => boolean {
  const rules = value
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => parseExemption(entry.toLowerCase()));
  return (url) => {
    const host = url.hostname.toLowerCase().replace(/\.$/, '');
    return rules.some((rule) => rule(host, `${portOf(url)}`));
  };
}

function parseExemption(entry: string): (host: string, port: string) => boolean {
  if (entry === '*') return () => true;
  const [range = '', bits, ...rest] = entry.split('/');
  if (bits !== undefined) {
    const network = parseAddress(range);
    if (network === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return () => false;
    return (host) => {
      const address = parseAddress(host);
      return address !== undefined && inRange(address, network, Number(bits));
    };
  }
  // A bare IPv6 address has colons of its own.
  const ported = parseAddress(entry) === undefined ? /^(.*):(\d+)$/.exec(entry) : null;
  const name = (ported?.[1] ?? entry).replace(/^\*(?=\.)/, '');
  const port = ported?.[2];
  const wanted = parseAddress(name);
  return (host, hostPort) => {
    if (port !== undefined && port !== hostPort) return false;
    if (wanted !== undefined) return parseAddress(host)?.join('.') === wanted.join('.');
    return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
  };
}
