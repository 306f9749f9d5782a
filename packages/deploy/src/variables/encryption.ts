import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { BoxwrightError } from '@boxwright/errors';

/** What opens an encrypted file of variables. */
export type VariablesKey =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** 32 bytes, used as they are. */
  | { readonly kind: 'key'; readonly key: Uint8Array };

/** How hard a passphrase is to try: 64 MiB and about a fifth of a second for each (RFC 7914; N = 2^16, r = 8). */
const defaultCost = { n: 65536, r: 8, p: 1 } as const;
/** What a file may ask for: more would be a way to stop the machine. In bytes, 128 * N * r. */
const maxMemory = 256 * 1024 * 1024;

const marker = 'encrypted-variables';
const nonceSize = 12;
const tagSize = 16;
const keySize = 32;

/** Everything of the file but the content. It is authenticated together with the content. */
interface Header {
  readonly boxwright: typeof marker;
  readonly version: 1;
  readonly cipher: 'aes-256-gcm';
  readonly kdf: { readonly name: 'none' } | ScryptParameters;
  readonly nonce: string;
}

interface ScryptParameters {
  readonly name: 'scrypt';
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
}

/** True for the text of an encrypted file, whole or damaged. */
export function isEncrypted(text: string): boolean {
  return /^\s*\{\s*"boxwright"\s*:\s*"encrypted-variables"/.test(text);
}

/**
 * What opens an encrypted file.
 *
 * @throws BoxwrightError `VARIABLES_INVALID` for a damaged file, or one that a newer version has made
 */
export function lockOf(text: string, file: string): VariablesKey['kind'] {
  return parseEnvelope(text, file).header.kdf.name === 'none' ? 'key' : 'passphrase';
}

/**
 * Encrypts the text of a file of variables: AES-256-GCM with a new nonce, and with a key that scrypt makes of a passphrase, or with the key itself.
 *
 * @returns JSON with a line feed at the end
 */
export async function encryptVariables(text: string, key: VariablesKey): Promise<string> {
  const kdf: Header['kdf'] =
    key.kind === 'key'
      ? { name: 'none' }
      : { name: 'scrypt', ...defaultCost, salt: randomBytes(16).toString('base64') };
  const nonce = randomBytes(nonceSize);
  const header: Header = { boxwright: marker, version: 1, cipher: 'aes-256-gcm', kdf, nonce: nonce.toString('base64') };
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(kdf, key), nonce, { authTagLength: tagSize });
  cipher.setAAD(headerBytes(header));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${JSON.stringify({ ...header, data: data.toString('base64') }, undefined, 2)}\n`;
}

/**
 * The text that {@link encryptVariables} was given.
 *
 * @throws BoxwrightError `VARIABLES_LOCKED` for another passphrase or key, or a file that was changed; `VARIABLES_INVALID` for a file that is
 * not one of ours, or asks for more memory than {@link maxMemory}.
 */
export async function decryptVariables(text: string, key: VariablesKey, file: string): Promise<string> {
  const { header, data } = parseEnvelope(text, file);
  if ((header.kdf.name === 'none') !== (key.kind === 'key')) {
    const wanted = header.kdf.name === 'none' ? 'a key' : 'a passphrase';
    throw new BoxwrightError('VARIABLES_LOCKED', `${file} is locked with ${wanted}`, {
      hint: header.kdf.name === 'none' ? 'Set BOXWRIGHT_VARIABLES_KEY.' : 'Set BOXWRIGHT_VARIABLES_PASSPHRASE.',
    });
  }
  const nonce = Buffer.from(header.nonce, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', await deriveKey(header.kdf, key), nonce, { authTagLength: tagSize });
  decipher.setAAD(headerBytes(header));
  decipher.setAuthTag(data.subarray(-tagSize));
  try {
    return Buffer.concat([decipher.update(data.subarray(0, -tagSize)), decipher.final()]).toString('utf8');
  } catch {
    throw new BoxwrightError(
      'VARIABLES_LOCKED',
      `${file} cannot be opened: another passphrase or key, or a damaged file`,
      {
        hint: 'Check BOXWRIGHT_VARIABLES_PASSPHRASE or BOXWRIGHT_VARIABLES_KEY.',
      },
    );
  }
}

/** The header in one form, whatever blanks the file has. */
function headerBytes(header: Header): Buffer {
  const { boxwright, version, cipher, kdf, nonce } = header;
  const parameters = kdf.name === 'none' ? [kdf.name] : [kdf.name, kdf.n, kdf.r, kdf.p, kdf.salt];
  return Buffer.from(JSON.stringify([boxwright, version, cipher, parameters, nonce]));
}

async function deriveKey(kdf: Header['kdf'], key: VariablesKey): Promise<Uint8Array> {
  if (key.kind === 'key') {
    if (key.key.length === keySize) return key.key;
    throw new BoxwrightError('VARIABLES_LOCKED', `a key has ${keySize} bytes, not ${key.key.length}`);
  }
  if (kdf.name === 'none') throw new BoxwrightError('VARIABLES_LOCKED', 'a key is needed, not a passphrase');
  const { n: N, r, p, salt } = kdf;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const options = { N, r, p, maxmem: 128 * N * r + 1024 * 1024 };
  // NFC, so that a passphrase with accents is the same however the keyboard makes them.
  scrypt(key.passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), keySize, options, (error, derived) => {
    if (error) reject(error);
    else resolve(derived);
  });
  return promise;
}

function parseEnvelope(text: string, file: string): { readonly header: Header; readonly data: Buffer } {
  const document = new Map(Object.entries(parseObject(text) ?? {}));
  const kdf = parseKdf(document.get('kdf'));
  const nonce = document.get('nonce');
  const data = document.get('data');
  const known = document.get('version') === 1 && document.get('cipher') === 'aes-256-gcm';
  if (!known || kdf === undefined || !isBase64(nonce, nonceSize) || !isBase64(data, tagSize)) {
    throw new BoxwrightError('VARIABLES_INVALID', `${file} is no encrypted file of variables that this version knows`, {
      hint: 'Make it again, or use a newer Boxwright.',
    });
  }
  const header: Header = { boxwright: marker, version: 1, cipher: 'aes-256-gcm', kdf, nonce };
  return { header, data: Buffer.from(data, 'base64') };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseKdf(value: unknown): Header['kdf'] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = new Map<string, unknown>(Object.entries(value));
  if (members.get('name') === 'none') return { name: 'none' };
  const [n, r, p, salt] = [members.get('n'), members.get('r'), members.get('p'), members.get('salt')];
  if (members.get('name') !== 'scrypt' || !isBase64(salt, 16)) return undefined;
  if (!isWithin(n, 1024, 2 ** 20) || !isWithin(r, 1, 32) || !isWithin(p, 1, 4)) return undefined;
  const powerOfTwo = (n & (n - 1)) === 0;
  return powerOfTwo && 128 * n * r <= maxMemory ? { name: 'scrypt', n, r, p, salt } : undefined;
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
}

/** Base64 of at least so many bytes; exactly so many where they are a nonce. */
function isBase64(value: unknown, least: number): value is string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return false;
  const size = Buffer.from(value, 'base64').length;
  return least === nonceSize ? size === nonceSize : size >= least;
}
