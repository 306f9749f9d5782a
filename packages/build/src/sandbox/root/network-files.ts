import { readFileSync } from 'node:fs';
import { isErrno } from './locate.ts';

/** The command's /etc/hosts, as BuildKit writes it. */
export function hostsFile(
  hostname: string,
  extraHosts: readonly { readonly host: string; readonly address: string }[],
): string {
  const extra = extraHosts.map(({ host, address }) => `${address}\t${host}\n`);
  return `127.0.0.1\tlocalhost ${hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n${extra.join('')}`;
}

/**
 * The command's /etc/resolv.conf: the host's, as it is. The command shares the host's network, so that also a resolver on a
 * loopback address (systemd-resolved, dnsmasq) answers it.
 */
export function resolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
