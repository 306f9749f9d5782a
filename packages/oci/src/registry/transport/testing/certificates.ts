import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** An authority made for a test, and what it signs. */
export interface TestAuthority {
  readonly ca: Buffer;
  /** @param names subject alternative names as openssl writes them: `DNS:localhost,IP:127.0.0.1` */
  sign(names: string, options?: { readonly expired?: boolean; readonly client?: boolean }): KeyPair;
  remove(): void;
}

/** Undefined when there is an openssl to make certificates with, else why the tests cannot run. */
export function missingOpenssl(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'openssl, which makes the certificates, is not installed';
  }
}

/** Makes an authority with openssl, in a directory that {@link TestAuthority.remove} removes. */
export function makeAuthority(): TestAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'boxwright-ca-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  );
  let count = 0;
  return {
    ca: readFileSync(join(directory, 'ca.crt')),
    sign: (names, { expired = false, client = false } = {}) => {
      const name = `leaf${++count}`;
      openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const usage = client ? 'clientAuth' : 'serverAuth';
      writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${names}\nextendedKeyUsage=${usage}\n`);
      const sign = ['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
      openssl(...sign, '-out', `${name}.crt`, '-extfile', `${name}.ext`, '-days', expired ? '-1' : '1');
      return {
        cert: readFileSync(join(directory, `${name}.crt`)),
        key: readFileSync(join(directory, `${name}.key`)),
      };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
