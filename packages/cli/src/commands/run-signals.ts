import type { SandboxSpec, StartedSandbox } from '@boxwright/build';
import type { CommandContext } from '../command-context.ts';
import { InterruptedError } from '../interrupted.ts';

/** How long a command may take to end after a signal: what `docker stop` gives it. Milliseconds. */
const graceTime = 10_000;
/** Who waits longer than this is told for what. */
const patienceTime = 1000;

/** For the sandbox. */
export interface PassedSignals extends Required<Pick<SandboxSpec, 'onStart' | 'signal'>>, Disposable {}

/**
 * Passes the first signal on to the command, as `docker run` does, and lets its own exit code count. Everything is killed at
 * the second signal, or when the command has not ended in time: as first process of its namespace it ignores
 * signals that it has no handler for.
 */
export function passSignalsOn(context: Pick<CommandContext, 'signal' | 'onSecondSignal' | 'stderr'>): PassedSignals {
  const kill = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  let command: StartedSandbox | undefined;
  const pass = (): void => {
    const { reason } = context.signal;
    if (command === undefined || !(reason instanceof InterruptedError)) {
      kill.abort(reason);
      return;
    }
    command.send(reason.signal);
    const note = `note: ${reason.signal} was passed on to the command, which has ${graceTime / 1000} s to end; a second signal kills it\n`;
    timers.push(
      setTimeout(() => context.stderr.write(note), patienceTime),
      setTimeout(() => kill.abort(reason), graceTime),
    );
  };
  const second = context.onSecondSignal((error) => kill.abort(error));
  if (context.signal.aborted) pass();
  else context.signal.addEventListener('abort', pass, { once: true });
  return {
    signal: kill.signal,
    onStart: (started) => {
      command = started;
    },
    [Symbol.dispose]: () => {
      context.signal.removeEventListener('abort', pass);
      for (const timer of timers) clearTimeout(timer);
      second[Symbol.dispose]();
    },
  };
}
