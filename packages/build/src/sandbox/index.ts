export { detectSandbox, type SandboxReport } from './detect.ts';
export { runInSandbox, warmUpSandbox } from './run-in-sandbox.ts';
export type { SandboxMount, SandboxResult, SandboxSpec, SandboxUser, StartedSandbox } from './spec.ts';
export { useThisThreadForSandboxes } from './thread/client.ts';
export { ensureUserNamespace } from './user-namespace.ts';
