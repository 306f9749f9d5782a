export type { CredentialEnvironment } from './auth-file-paths.ts';
export type { Authenticator, Scope } from './authenticator.ts';
export { type AuthenticatorOptions, createAuthenticator } from './create-authenticator.ts';
export {
  type Credential,
  type CredentialExplanation,
  type CredentialStore,
  describeCredential,
  type FoundCredential,
  fixedCredential,
  type LookedAt,
} from './credential.ts';
export { type CredentialStoreOptions, credentialStore } from './credential-store.ts';
export type { RealmQuestion } from './realm.ts';
export { Secret } from './secret.ts';
