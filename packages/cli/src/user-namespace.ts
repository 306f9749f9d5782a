import { ensureUserNamespace } from '@boxwright/build';
import type { CommandContext } from './command-context.ts';

/** True when this process may do what a sandbox needs, on the host or in a user namespace. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Starts the same command line once more as root of a user namespace, when this process is not root, and waits for it.
 * True when that was done: the command has then nothing left to do, its exit code is set. To be called as root too: it
 * makes sure that a process started that way ends when the first one is killed.
 * @throws BoxwrightError `SANDBOX_UNAVAILABLE`
 */
export async function runInUserNamespace(context: CommandContext): Promise<boolean> {
  // The process there gets every signal, too, and knows what a second one means.
  using _ = context.onSecondSignal(() => undefined);
  const code = await ensureUserNamespace();
  if (code === undefined) return false;
  context.setExitCode(code);
  return true;
}
