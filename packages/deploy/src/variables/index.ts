export { createResolver, isForWorker, keepUnknown, type ResolverOptions, withOutputs } from './create-resolver.ts';
export { editVariables, type VariablesChange, type VariablesPlace } from './edit-variables.ts';
export { decryptVariables, encryptVariables, isEncrypted, lockOf, type VariablesKey } from './encryption.ts';
export { type Environment, environmentSource } from './environment-source.ts';
export { variablesKeyFrom } from './key-from-environment.ts';
export { type LoadSourcesOptions, loadSources } from './load-sources.ts';
export { prefectSource } from './prefect-source.ts';
export type { BlockDocument, VariableSource } from './variable-source.ts';
export { type VariablesContent, variablesContent } from './variables-content.ts';
export { parseVariables } from './variables-document.ts';
export {
  type KeyFinder,
  readVariablesFile,
  readVariablesText,
  type VariablesText,
  variablesFileName,
} from './variables-file.ts';
