export { findSecrets, namedSecret, redactText } from './find-secrets.ts';
export { REDACTED } from './harmless-value.ts';
export { type ImageSecrets, imageSecrets } from './image-secrets.ts';
export { redactConfig } from './redact-config.ts';
export { Redactor } from './redactor.ts';
export { layerSecretFiles, secretFileKind } from './secret-files.ts';
export { type SecretFinding, type SecretPlace, secretText } from './secret-finding.ts';
export { type SecretKind, secretKindName } from './secret-kind.ts';
export type { SecretMatch } from './token-patterns.ts';
