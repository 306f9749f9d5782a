import { credentialStore, openRegistryAccess, type RegistryAccess, type RegistryEvent } from '@boxwright/oci';
import { credentialsWith, type RegistryLogin } from '../registry-login.ts';

/** Whose registries, and how they are reached. */
export interface StepRegistriesOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly insecure?: boolean | readonly string[] | undefined;
  readonly journalDirectory?: string | undefined;
  readonly onEvent?: ((event: RegistryEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens registries; {@link StepRegistries.close} ends those that no login was given for. */
export interface StepRegistries {
  readonly open: (login?: RegistryLogin) => RegistryAccess;
  readonly close: () => void;
}

/** Registries with what the user has stored, and with the logins of steps, which are kept in memory only. */
export function stepRegistries(options: StepRegistriesOptions): StepRegistries {
  const { env, home, insecure, journalDirectory, onEvent, signal } = options;
  let shared: RegistryAccess | undefined;
  const access = (login: RegistryLogin | undefined): RegistryAccess =>
    openRegistryAccess({
      env,
      home,
      credentials: credentialsWith(login, credentialStore({ env, home })),
      ...(insecure === undefined ? {} : { insecure }),
      ...(journalDirectory === undefined ? {} : { journalDirectory }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    open: (login) => (login === undefined ? (shared ??= access(undefined)) : access(login)),
    close: () => shared?.close(),
  };
}
