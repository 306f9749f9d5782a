import type { TaskFailure } from '../../workers/messages.ts';
import type { RootSpec } from '../root/prepare.ts';
import type { SandboxResult } from '../spec.ts';

/** What the main thread asks of the sandbox thread. */
export type SandboxRequest =
  | { readonly kind: 'run'; readonly id: number; readonly spec: RootSpec; readonly runtime: string | undefined }
  | { readonly kind: 'kill'; readonly id: number }
  /** For the command itself. */
  | { readonly kind: 'signal'; readonly id: number; readonly signal: NodeJS.Signals }
  /** So many bytes of output were handed on. */
  | { readonly kind: 'taken'; readonly id: number; readonly bytes: number };

/** What the sandbox thread tells. */
export type SandboxReply =
  | { readonly kind: 'output'; readonly id: number; readonly stream: 1 | 2; readonly chunk: Uint8Array }
  | { readonly kind: 'ended'; readonly id: number; readonly result: SandboxResult }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: TaskFailure };
