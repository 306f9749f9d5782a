import type { Readable, Writable } from 'node:stream';
import type { InterruptedError } from './interrupted.ts';
import type { ProgressOutput } from './progress/renderer.ts';

/** What a command sees of the process around it; tests give it their own. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path that relative paths on the command line start from. */
  readonly cwd: string;
  /** Opened only when it is asked for: opening a pipe changes its mode for everybody who shares it. */
  readonly stdin: { readonly isTTY: boolean; readonly open: () => Readable };
  /** Results. */
  readonly stdout: ProgressOutput;
  /** The same as a stream, for archives. */
  readonly openStdout: () => Writable;
  /** Progress, warnings, errors. */
  readonly stderr: ProgressOutput;
  /** Aborted by SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Until disposed of, a second signal is for `handle` and only a third one ends the process at once. */
  readonly onSecondSignal: (handle: (error: InterruptedError) => void) => Disposable;
  /** The process is there for this command alone, which may move it to a mount namespace of its own for good. */
  readonly ownsProcess: boolean;
  /** Colours on standard error. */
  readonly colors: boolean;
  /** The code of a command that did its work but has something to tell by it (`run`, `doctor`); 0 until set. */
  readonly setExitCode: (code: number) => void;
}
