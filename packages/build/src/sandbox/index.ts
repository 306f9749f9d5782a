export { detectSandbox, requireSandbox, type SandboxReport, type TierReport } from './detect.ts';
export { runInSandbox, warmUpSandbox } from './run-in-sandbox.ts';
export type { SandboxMount, SandboxResult, SandboxSpec, SandboxUser } from './spec.ts';
export { ensureUserNamespace, type UserNamespaceMap, userNamespaceMap } from './user-namespace.ts';
