import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type CredentialStore,
  defaultStoreRoot,
  ImageStore,
  openRegistryAccess,
  type RegistryAccess,
} from '@boxwright/oci';

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
