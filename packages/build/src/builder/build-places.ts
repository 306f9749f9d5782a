import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { type CredentialStore, ImageStore, openRegistryAccess, type RegistryAccess } from '@boxwright/oci';

/** Where images are kept and brought from; everything has a default. */
export interface PlaceOptions {
  /** The store, or its directory; default: the one that the command `boxwright` uses (see {@link defaultStoreRoot}). */
  readonly store?: ImageStore | string;
  /** Registries; default: opened with the user's configuration and credentials, and closed afterwards. */
  readonly registries?: RegistryAccess;
  /** Credentials instead of the user's own, when registries are opened here. */
  readonly credentials?: CredentialStore;
  /** Registries (all, or `host[:port]`) that may be asked over plain HTTP, when they are opened here. */
  readonly insecure?: boolean | readonly string[];
  /** Environment in place of this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/**
 * Directory of the local store: `$BOXWRIGHT_HOME`, else `boxwright` in the XDG data directory
 * (https://specifications.freedesktop.org/basedir-spec: a relative `$XDG_DATA_HOME` is ignored).
 */
export function defaultStoreRoot(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const chosen = env['BOXWRIGHT_HOME'];
  if (chosen) return resolve(chosen);
  const data = env['XDG_DATA_HOME'];
  const base = data !== undefined && isAbsolute(data) ? data : join(env['HOME'] || homedir(), '.local/share');
  return join(base, 'boxwright');
}

/** Store and registries of one call; what was opened for it is closed when it is disposed of. */
export class BuildPlaces implements Disposable {
  readonly store: ImageStore;
  readonly #options: PlaceOptions;
  #registries: RegistryAccess | undefined;

  /** @throws BoxwrightError STORE_UNUSABLE, STORE_VERSION */
  constructor(options: PlaceOptions) {
    this.#options = options;
    const { store, env } = options;
    this.store = store instanceof ImageStore ? store : ImageStore.open(resolve(store ?? defaultStoreRoot(env)));
  }

  /** @throws BoxwrightError REGISTRY_CONFIG_INVALID */
  readonly registries = (): RegistryAccess => {
    const { registries, credentials, insecure, env = process.env, signal } = this.#options;
    if (registries !== undefined) return registries;
    this.#registries ??= openRegistryAccess({
      env,
      home: env['HOME'] || homedir(),
      journalDirectory: join(this.store.root, 'uploads'),
      ...(credentials === undefined ? {} : { credentials }),
      ...(insecure === undefined ? {} : { insecure }),
      ...(signal === undefined ? {} : { signal }),
    });
    return this.#registries;
  };

  [Symbol.dispose](): void {
    this.#registries?.close();
    if (!(this.#options.store instanceof ImageStore)) this.store.close();
  }
}
