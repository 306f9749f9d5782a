/**
 * How near an address is to this machine. `reserved` ones (multicast, future use) are nobody's; metadata services of
 * clouds, which hand out credentials, count as `link-local` wherever they live.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'link-local' | 'reserved';

/** IANA special-purpose address registries (RFC 6890 and updates). The first range that fits counts. */
const ranges: readonly (readonly [kind: AddressKind, address: string, bits: number])[] = [
  ['link-local', '169.254.0.0', 16],
  // Metadata services outside of the link-local range: Alibaba Cloud, Oracle Cloud, AWS over IPv6.
  ['link-local', '100.100.100.200', 32],
  ['link-local', '192.0.0.192', 32],
  ['link-local', 'fd00:ec2::254', 128],
  ['link-local', 'fe80::', 10],
  ['loopback', '127.0.0.0', 8],
  ['loopback', '0.0.0.0', 8],
  ['loopback', '::1', 128],
  ['loopback', '::', 128],
  ['private', '10.0.0.0', 8],
  ['private', '172.16.0.0', 12],
  ['private', '192.168.0.0', 16],
  ['private', '100.64.0.0', 10],
  ['private', '192.0.0.0', 24],
  ['private', '198.18.0.0', 15],
  ['private', 'fc00::', 7],
  ['private', 'fec0::', 10],
  ['reserved', '224.0.0.0', 3],
  ['reserved', 'ff00::', 8],
];

/** The kind of a literal IP address, with or without brackets and zone; undefined when the text is none. */
export function addressKind(text: string): AddressKind | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : kindOf(address);
}

/** True for names that mean this machine without asking anybody (RFC 6761, section 6.3), and for loopback addresses. */
export function isLoopbackHost(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || addressKind(name) === 'loopback';
}

/**
 * Whether a host of one kind may send us to an address of another: only to where it is itself, or farther out.
 * Link-local addresses may be named by their like alone: metadata services live there.
 */
export function mayName(namer: AddressKind, named: AddressKind): boolean {
  if (named === 'public') return true;
  if (named === 'reserved') return false;
  if (named === 'link-local' || namer === 'link-local') return namer === named;
  return namer === 'loopback' || (namer === 'private' && named === 'private');
}

/** The 4 bytes of an IPv4 or the 16 bytes of an IPv6 address. */
export function parseAddress(text: string): readonly number[] | undefined {
  const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  return bare.includes(':') ? parseIpv6(bare) : parseIpv4(bare);
}

/** True when the first `bits` bits are the same and both have the same length. */
export function inRange(address: readonly number[], network: readonly number[], bits: number): boolean {
  if (address.length !== network.length) return false;
  return network.every((byte, index) => {
    const significant = Math.min(8, Math.max(0, bits - 8 * index));
    const mask = (0xff << (8 - significant)) & 0xff;
    return (byte & mask) === ((address[index] ?? 0) & mask);
  });
}

function kindOf(address: readonly number[]): AddressKind {
  const inner = embeddedIpv4(address);
  if (inner !== undefined) return kindOf(inner);
  return parsedRanges().find(({ network, bits }) => inRange(address, network, bits))?.kind ?? 'public';
}

interface Range {
  readonly kind: AddressKind;
  readonly network: readonly number[];
  readonly bits: number;
}

let parsed: readonly Range[] | undefined;

function parsedRanges(): readonly Range[] {
  parsed ??= ranges.map(([kind, text, bits]) => ({ kind, network: parseAddress(text) ?? [], bits }));
  return parsed;
}

/** The IPv4 address that an IPv6 one leads to: mapped, compatible (deprecated), NAT64 (RFC 6052) and 6to4 (RFC 3056). */
function embeddedIpv4(address: readonly number[]): readonly number[] | undefined {
  if (address.length !== 16) return undefined;
  const head = address.slice(0, 12);
  const last = address.slice(12);
  const zeros = (end: number): boolean => address.slice(0, end).every((byte) => byte === 0);
  if (zeros(10) && address[10] === 0xff && address[11] === 0xff) return last;
  // ::1 and :: are addresses of their own.
  if (zeros(12) && last.some((byte, index) => byte > (index === 3 ? 1 : 0))) return last;
  const nat64 = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
  if (head.every((byte, index) => byte === nat64[index])) return last;
  return address[0] === 0x20 && address[1] === 0x02 ? address.slice(2, 6) : undefined;
}

function parseIpv4(text: string): number[] | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) ? parts : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const [left = '', right, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const head = parseGroups(left);
  const tail = right === undefined ? [] : parseGroups(right);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (right === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    const dotted = index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (dotted !== undefined) bytes.push(...dotted);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}
