import { isIP } from 'node:net';
import { UsageError } from '@boxwright/errors';

/**
 * `--add-host HOST:ADDRESS` or `HOST=ADDRESS`; IPv6 may stand in brackets.
 * @throws UsageError for a name with white space or an address that is no IP address.
 */
export function parseExtraHost(text: string): { readonly host: string; readonly address: string } {
  const match = /^([^\s:=]+)[:=](.+)$/.exec(text);
  const host = match?.[1];
  const address = match?.[2]?.replace(/^\[(.*)\]$/, '$1');
  if (host === undefined || address === undefined) throw new UsageError(`--add-host ${text}: must be HOST:ADDRESS`);
  if (isIP(address) === 0) {
    throw new UsageError(`--add-host ${text}: '${address}' is not an IP address`, {
      ...(address === 'host-gateway' ? { hint: 'There is no gateway: with --network host use 127.0.0.1.' } : {}),
    });
  }
  return { host, address };
}
