export type { CredentialEnvironment } from './auth-file-paths.ts';
export type { Authenticator, Scope } from './authenticator.ts';
export { type AuthenticatorOptions, createAuthenticator } from './create-authenticator.ts';
export {
  type Credential,
  type CredentialExplanation,
  type CredentialFile,
  type CredentialStore,
  describeCredential,
  type FoundCredential,
  fixedCredential,
  type LookedAt,
} from './credential.ts';
export { type CredentialStoreOptions, credentialStore } from './credential-store.ts';
export { type LoginOptions, type LoginResult, type LogoutOptions, type LogoutResult, login, logout } from './login.ts';
export type { RealmQuestion } from './realm.ts';
export { removeCredential, type SavedCredential, saveCredential } from './save-credential.ts';
export { Secret } from './secret.ts';
