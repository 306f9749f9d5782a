import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, der, integer, objectId, sequence, time, utf8 } from './der.ts';

/** A certificate and its private key, PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** What to write into a certificate. */
export interface CertificateOptions {
  readonly name: string;
  /** Host names and addresses that it is for. */
  readonly hosts?: readonly string[];
  /** Default: valid for a day, from an hour ago on. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));

/** An authority that issues certificates, made new for each test: nothing secret is kept anywhere. */
export class TestAuthority {
  readonly #name: string;
  readonly #key: KeyObject;
  /** Its own certificate and key. */
  readonly own: Certified;

  constructor(name = 'test authority') {
    this.#name = name;
    const { privateKey, publicKey } = newKey();
    this.#key = privateKey;
    this.own = certified({ name }, { name, key: privateKey }, privateKey, publicKey, true);
  }

  /** The authority's certificate, PEM: what clients are told to trust. */
  get ca(): string {
    return this.own.cert;
  }

  /** Issues a certificate for a server or a client. */
  issue(options: CertificateOptions): Certified {
    const { privateKey, publicKey } = newKey();
    return certified(options, { name: this.#name, key: this.#key }, privateKey, publicKey, false);
  }
}

function newKey(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

/** An X.509 version 3 certificate: RFC 5280, section 4.1. */
function certified(
  options: CertificateOptions,
  issuer: { readonly name: string; readonly key: KeyObject },
  key: KeyObject,
  publicKey: KeyObject,
  isAuthority: boolean,
): Certified {
  const now = Date.now() / 1000;
  const notBefore = options.notBefore === undefined ? now - 3600 : options.notBefore.getTime() / 1000;
  const notAfter = options.notAfter === undefined ? now + 86_400 : options.notAfter.getTime() / 1000;
  const serial = randomBytes(8);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const contents = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_SHA256,
    nameOf(issuer.name),
    sequence(time(notBefore), time(notAfter)),
    nameOf(options.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(options.hosts ?? [], isAuthority))),
  );
  const bytes = sequence(contents, ECDSA_SHA256, bitString(sign('sha256', contents, issuer.key)));
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId('2.5.4.3'), utf8(commonName))));
}

function extensions(hosts: readonly string[], isAuthority: boolean): Buffer[] {
  const constraints = isAuthority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence();
  const result = [sequence(objectId('2.5.29.19'), der(0x01, Buffer.from([0xff])), der(0x04, constraints))];
  if (hosts.length > 0) result.push(sequence(objectId('2.5.29.17'), der(0x04, sequence(...hosts.map(generalName)))));
  return result;
}

function generalName(host: string): Buffer {
  if (isIP(host) === 0) return der(0x82, Buffer.from(host));
  if (host === '::1') return der(0x87, Buffer.from([...Buffer.alloc(15), 1]));
  return der(0x87, Buffer.from(host.split('.').map(Number)));
}
