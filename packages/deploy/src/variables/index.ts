export { createResolver, isForWorker, keepUnknown, type ResolverOptions, withOutputs } from './create-resolver.ts';
export { decryptVariables, encryptVariables, isEncrypted, type VariablesKey } from './encryption.ts';
export { type Environment, environmentSource } from './environment-source.ts';
export { type LoadSourcesOptions, loadSources } from './load-sources.ts';
export { type PrefectServer, prefectHeaders, prefectServerFrom, prefectSource } from './prefect-source.ts';
export type { BlockDocument, VariableSource } from './variable-source.ts';
export { parseVariables } from './variables-document.ts';
export { readVariablesFile, variablesFileName, variablesKeyFrom } from './variables-file.ts';
