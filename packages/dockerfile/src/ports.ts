import { isIP } from 'node:net';

/**
 * Reads one word of EXPOSE: `80`, `80/udp`, `8000-8010/TCP`, also `[IP:][HOSTPORT:]PORT`, whose first parts Docker checks
 * and drops. Returns `PORT/PROTOCOL` for each port of the range, or what is wrong.
 */
export function parsePortSpec(spec: string): { readonly ports: readonly string[] } | { readonly reason: string } {
  const parts = spec.split(':');
  const container = parts.pop() ?? '';
  const hostPort = parts.pop() ?? '';
  const address = parts.join(':');
  const slash = container.indexOf('/');
  const range = slash === -1 ? container : container.slice(0, slash);
  const protocol = (slash === -1 ? '' : container.slice(slash + 1)).toLowerCase() || 'tcp';
  if (range === '') return { reason: `"${spec}" has no port` };
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) return { reason: `unknown protocol "${protocol}" in "${spec}"` };
  if (address !== '' && !isAddress(address)) return { reason: `"${address}" is no IP address` };
  const ports = parseRange(range);
  if (ports === undefined) return { reason: `"${range}" is no port or range of ports` };
  if (hostPort !== '') {
    const host = parseRange(hostPort);
    if (host === undefined) return { reason: `"${hostPort}" is no port or range of ports` };
    if (host.last - host.first !== ports.last - ports.first && ports.first !== ports.last) {
      return { reason: `the ranges ${hostPort} and ${range} differ in length` };
    }
  }
  const count = ports.last - ports.first + 1;
  return { ports: Array.from({ length: count }, (_, index) => `${ports.first + index}/${protocol}`) };
}

function parseRange(text: string): { first: number; last: number } | undefined {
  const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last && last <= 0xffff ? { first, last } : undefined;
}

function isAddress(text: string): boolean {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  return isIP(bare) !== 0;
}
