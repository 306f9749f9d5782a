import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type EngineClient,
  engineClient,
  findEngine,
  ImageStore,
  openRegistryAccess,
  type RegistryAccess,
} from '@boxwright/oci';
import type { CommandContext } from './command-context.ts';
import { type RegistryNote, registryNotes } from './registry-note.ts';
import { storeRoot } from './store-root.ts';

/** What a command's flags say about places. */
export interface PlacesOptions {
  readonly store: string | undefined;
  /** Registries (all, or by host) that may be asked over plain HTTP and with certificates that cannot be checked. */
  readonly insecure?: boolean | readonly string[];
  readonly onNote?: (note: RegistryNote) => void;
}

/** The store, the registries and the Docker Engine of one command, opened when they are first wanted. */
export class CommandPlaces implements Disposable {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly #context: CommandContext;
  readonly #options: PlacesOptions;
  #store: ImageStore | undefined;
  #registries: RegistryAccess | undefined;
  #engine: EngineClient | undefined;

  constructor(context: CommandContext, options: PlacesOptions) {
    this.cwd = context.cwd;
    this.signal = context.signal;
    this.#context = context;
    this.#options = options;
  }

  /** @throws BoxwrightError STORE_UNUSABLE, STORE_VERSION */
  readonly store = (): ImageStore => {
    this.#store ??= ImageStore.open(this.#storeRoot());
    return this.#store;
  };

  /** @throws BoxwrightError REGISTRY_CONFIG_INVALID */
  readonly registries = (): RegistryAccess => {
    const { env } = this.#context;
    const { insecure, onNote } = this.#options;
    const noteOf = registryNotes();
    this.#registries ??= openRegistryAccess({
      env,
      home: this.#home(),
      signal: this.signal,
      journalDirectory: join(this.#storeRoot(), 'uploads'),
      ...(insecure === undefined ? {} : { insecure }),
      onEvent: (event) => {
        const note = noteOf(event);
        if (note !== undefined) onNote?.(note);
      },
    });
    return this.#registries;
  };

  /** The engine that `docker` would talk to. @throws BoxwrightError ENGINE_ADDRESS_INVALID */
  readonly engine = (): EngineClient => {
    this.#engine ??= engineClient(findEngine({ env: this.#context.env, home: this.#home() }));
    return this.#engine;
  };

  [Symbol.dispose](): void {
    this.#registries?.close();
    this.#store?.close();
  }

  #home(): string {
    return this.#context.env['HOME'] || homedir();
  }

  #storeRoot(): string {
    return storeRoot(this.#options.store, this.#context);
  }
}
