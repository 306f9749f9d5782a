import type { BoxwrightError } from '@boxwright/errors';

/**
 * What a build reports while it runs; the command line renders it (tty, plain, rawjson). Times are milliseconds since 1970.
 * The shape follows BuildKit's SolveStatus (vertexes, statuses, logs, warnings), so that `rawjson` can be printed from it.
 */
export type BuildEvent =
  /** A step is known: sent for every step of the plan, in display order, before it starts. */
  | { readonly type: 'vertex'; readonly id: string; readonly name: string; readonly inputs: readonly string[] }
  | { readonly type: 'started'; readonly id: string; readonly time: number }
  /** The step's result came from the cache; a `completed` follows. */
  | { readonly type: 'cached'; readonly id: string; readonly time: number }
  | { readonly type: 'completed'; readonly id: string; readonly time: number; readonly error?: BoxwrightError }
  /** Output of a RUN: stream 1 is stdout, 2 stderr. */
  | {
      readonly type: 'log';
      readonly id: string;
      readonly stream: 1 | 2;
      readonly data: Uint8Array;
      readonly time: number;
    }
  /** Something inside a step that has a size: "transferring context", "exporting layers". */
  | {
      readonly type: 'status';
      readonly id: string;
      readonly name: string;
      readonly current: number;
      readonly total?: number;
      readonly unit: 'bytes' | 'files';
      readonly time: number;
      readonly done: boolean;
    }
  | {
      readonly type: 'warning';
      readonly message: string;
      readonly detail?: string;
      readonly file?: string;
      readonly line?: number;
    };
