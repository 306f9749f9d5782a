import { type ByteString, fromByteString, type TarEntry } from '@boxwright/oci';
import type { SecretKind } from './secret-kind.ts';

/** A file that holds secrets, to judge by its name. */
export interface SecretFile {
  readonly kind: SecretKind;
  /** From the root, with a leading slash. */
  readonly path: string;
}

/** At most so many files of a layer are named. */
const maxFiles = 100;

/** Directories of packages: what looks like a secret there is part of a test or an example. */
const packageDirectory =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|tests?|testdata|fixtures?|examples?|doc|docs|man|vendor|\.git)\//;

const home = '(?:^root/|^home/[^/]+/|^var/(?:lib|www)/(?:[^/]+/)?)';

/** Paths that hold secrets wherever they are used as intended. Matched against paths without a leading slash. */
const knownPaths: readonly (readonly [SecretKind, RegExp])[] = [
  ['key-file', /(?:^|\/)id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)$/],
  ['key-file', /^etc\/ssh\/ssh_host_\w+_key$/],
  ['key-file', /^etc\/(?:ssl|pki\/tls)\/private\/(?!ssl-cert-snakeoil)[^/]+\.(?:key|pem)$/],
  ['credentials-file', /(?:^|\/)\.(?:aws\/credentials|docker\/config\.json|git-credentials|pgpass|kube\/config)$/],
  [
    'credentials-file',
    new RegExp(`${home}\\.(?:netrc|npmrc|pypirc|yarnrc\\.yml|dockercfg|my\\.cnf|vault-token|htpasswd)$`),
  ],
  [
    'credentials-file',
    /(?:^|\/)\.config\/(?:gcloud\/(?:application_default_credentials\.json|credentials\.db)|gh\/hosts\.yml)$/,
  ],
  ['credentials-file', /(?:^|\/)\.azure\/(?:accessTokens|msal_token_cache)\.json$/],
  ['credentials-file', /(?:^|\/)terraform\.tfstate$/],
  ['environment-file', /(?:^|\/)\.env(?:\.(?:local|prod|production|staging|development|dev))?$/],
];

/** What a file of an image is likely to hold, by its path from the root; undefined for all others. */
export function secretFileKind(path: ByteString): SecretKind | undefined {
  // The bytes of all names that are looked for are ASCII.
  if (packageDirectory.test(path)) return undefined;
  return knownPaths.find(([, pattern]) => pattern.test(path))?.[0];
}

/** Picks files of well-known secrets out of the entries of a layer, by name alone; empty files are none. */
export class SecretFileFinder {
  readonly #found = new Map<ByteString, SecretKind>();

  add({ type, path, size }: TarEntry): void {
    if (type !== 'file' || size === 0 || this.#found.size >= maxFiles) return;
    // The cast keeps the brand: a part of a ByteString.
    const clean = path.replace(/^\.{0,2}\/+/, '') as ByteString;
    const kind = secretFileKind(clean);
    if (kind !== undefined) this.#found.set(clean, kind);
  }

  /** At most 100, by path. */
  get files(): readonly SecretFile[] {
    return [...this.#found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, kind]) => ({ kind, path: `/${fromByteString(path)}` }));
  }
}
