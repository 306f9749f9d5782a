import type { LookupFunction } from 'node:net';
import { BoxwrightError } from '@boxwright/errors';
import { type AddressKind, addressKind, isLoopbackHost, mayName } from './address-kind.ts';
import { builtins } from './builtins.ts';

/** What tests exchange: which kind of address something is. */
export type AddressClassifier = (address: string) => AddressKind | undefined;

/** Knows where hosts were found, and keeps one host from sending us to another that is nearer to this machine. */
export class Addresses {
  private readonly classify: AddressClassifier;
  /** By host name: the farthest place where it has answered from, so that a name cannot move nearer (DNS rebinding). */
  private readonly seen = new Map<string, AddressKind>();

  constructor(classify: AddressClassifier = addressKind) {
    this.classify = classify;
  }

  /** Remembers where a host was connected to. */
  record(hostname: string, address: string): void {
    const kind = this.classify(address);
    if (kind === undefined) return;
    const before = this.seen.get(hostname);
    if (before === undefined || (mayName(before, kind) && !mayName(kind, before))) this.seen.set(hostname, kind);
  }

  /** The kind of a host that was connected to before, or that needs no connection to tell. A proxy's hosts are public. */
  async kindOf(hostname: string, throughProxy: boolean): Promise<AddressKind> {
    const known = this.seen.get(hostname) ?? this.literalKind(hostname);
    if (known !== undefined) return known;
    if (throughProxy) return 'public';
    const { promises } = builtins.dns;
    const found = await promises.lookup(hostname, { all: true });
    const kinds = found.map(({ address }) => this.classify(address) ?? 'public');
    return kinds.includes('public') ? 'public' : (kinds[0] ?? 'public');
  }

  /**
   * Refuses a host that says by its name where it is.
   *
   * @throws BoxwrightError REDIRECT_REFUSED
   */
  checkLiteral(hostname: string, namer: AddressKind): void {
    const kind = this.literalKind(hostname);
    if (kind !== undefined && !mayName(namer, kind)) throw refused(hostname, hostname, kind);
  }

  /** A `lookup` for `net.connect` that returns only addresses which a host of the kind `namer` may name. */
  guardedLookup(namer: AddressKind): LookupFunction {
    return (hostname, options, callback) => {
      builtins.dns.lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, []);
        const allowed = found.filter(({ address }) => mayName(namer, this.classify(address) ?? 'public'));
        const [first] = allowed;
        if (first === undefined) {
          const address = found[0]?.address ?? '';
          return callback(refused(hostname, address, this.classify(address) ?? 'public'), []);
        }
        if (options.all === true) return callback(null, allowed);
        return callback(null, first.address, first.family);
      });
    };
  }

  private literalKind(hostname: string): AddressKind | undefined {
    const literal = this.classify(hostname.replace(/^\[|\]$/g, ''));
    return literal ?? (isLoopbackHost(hostname) ? 'loopback' : undefined);
  }
}

function refused(hostname: string, address: string, kind: AddressKind): BoxwrightError {
  const where = address === hostname ? '' : ` (${address})`;
  return new BoxwrightError('REDIRECT_REFUSED', `${hostname}${where} is a ${kind} address`, {
    details: { host: hostname, address, kind, transient: false, connected: false, sent: false },
  });
}
