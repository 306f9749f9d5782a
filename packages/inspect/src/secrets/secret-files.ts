import { type ByteString, fromByteString, type LayerIndex } from '@boxwright/oci';
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

/** Files of well-known secrets in one layer, by name alone; empty files are none. At most 100. */
export function layerSecretFiles(index: LayerIndex): readonly SecretFile[] {
  const files: SecretFile[] = [];
  for (const { path, entry } of index.entries()) {
    if (entry?.type !== 'file' || entry.size === 0) continue;
    const kind = secretFileKind(path);
    if (kind !== undefined) files.push({ kind, path: `/${fromByteString(path)}` });
    if (files.length === maxFiles) break;
  }
  return files;
}
