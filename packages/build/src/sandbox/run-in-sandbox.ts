import type { SandboxResult, SandboxSpec } from './spec.ts';
import { sandboxClient } from './thread/client.ts';

export async function runInSandbox(spec: SandboxSpec): Promise<SandboxResult> {
  return sandboxClient().run(spec, process.env['BOXWRIGHT_RUNTIME']);
}
