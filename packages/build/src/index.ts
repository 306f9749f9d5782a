export { createEmbeddedEngine } from './engine/embedded.ts';
export type {
  BuildEngine,
  BuildOutput,
  BuildRequest,
  BuildResult,
  NamedContext,
  NetworkMode,
  SecretSource,
} from './engine/engine.ts';
export type { BuildEvent } from './events.ts';
