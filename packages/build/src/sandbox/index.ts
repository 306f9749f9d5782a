export { runInSandbox } from './run-in-sandbox.ts';
export { type SandboxMount, type SandboxResult, type SandboxSpec, type SandboxUser } from './spec.ts';
export { ensureUserNamespace } from './user-namespace.ts';
