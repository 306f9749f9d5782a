import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { builtins } from './builtins.ts';
import { connectionError, type ExchangeState, lost } from './connection-errors.ts';
import { describeProxy, type Proxy } from './proxies.ts';
import { bareHost, portOf } from './url-parts.ts';

/** Gets the connection, or REGISTRY_CONNECTION when the proxy is not there or refuses; called once. */
export type TunnelCallback = (error: Error | undefined, socket: Socket | undefined) => void;

/** Makes a connection to an https origin through a proxy (RFC 9110, section 9.3.6), within a time in milliseconds. */
export function openTunnel(url: URL, proxy: Proxy, timeoutMs: number, callback: TunnelCallback): void {
  const state: ExchangeState = { url, proxy: describeProxy(proxy), connected: false, sent: false };
  const authority = `${url.hostname}:${url.port === '' ? '443' : url.port}`;
  const headers: OutgoingHttpHeaders = { host: authority };
  if (proxy.authorization !== undefined) headers['proxy-authorization'] = proxy.authorization;
  const secure = proxy.url.protocol === 'https:';
  const request = (secure ? builtins.https : builtins.http).request({
    agent: false,
    method: 'CONNECT',
    hostname: bareHost(proxy.url),
    port: portOf(proxy.url),
    path: authority,
    headers,
  });
  let isOver = false;
  const end: TunnelCallback = (error, socket) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    if (error !== undefined) request.destroy();
    callback(error, socket);
  };
  const timer = setTimeout(
    () => end(lost(`the proxy took longer than ${timeoutMs / 1000} s`, state), undefined),
    timeoutMs,
  );
  request.on('connect', (response: IncomingMessage, socket: Socket, head: Buffer) => {
    // A server speaks second in TLS: bytes before that are not from it.
    if (response.statusCode === 200 && head.length === 0) return end(undefined, socket);
    socket.destroy();
    end(refusal(response.statusCode ?? 0, state), undefined);
  });
  request.on('response', (response) => end(refusal(response.statusCode ?? 0, state), undefined));
  request.on('error', (error) => end(connectionError(error, state), undefined));
  request.end();
}

function refusal(status: number, state: ExchangeState): Error {
  const hint =
    status === 407
      ? 'The proxy wants a login: put it into HTTPS_PROXY as http://USER:PASSWORD@HOST:PORT.'
      : 'Ask whoever runs the proxy, or name the registry in NO_PROXY if it can be reached without.';
  const transient = status === 502 || status === 503 || status === 504;
  return lost(`the proxy answered ${status}`, state, { hint, transient, details: { status } });
}
