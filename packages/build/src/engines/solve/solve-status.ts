/**
 * One report of BuildKit about a running build (moby.buildkit.v1.StatusResponse; `--progress=rawjson` of buildx prints
 * the same as JSON). Each holds what has changed. Times are milliseconds since 1970.
 */
export interface SolveStatus {
  readonly vertexes: readonly SolveVertex[];
  readonly statuses: readonly SolveVertexStatus[];
  readonly logs: readonly SolveLog[];
  readonly warnings: readonly SolveWarning[];
}

/** A step. It may end (a look into the cache) and start again. */
export interface SolveVertex {
  readonly digest: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly cached: boolean;
  readonly started?: number | undefined;
  readonly completed?: number | undefined;
  /** Why it failed; empty when it did not. */
  readonly error: string;
}

/** Something inside a step that has a size. */
export interface SolveVertexStatus {
  /** What is shown: `transferring context:`. */
  readonly id: string;
  /** Digest of the step. */
  readonly vertex: string;
  readonly current: number;
  /** 0: not known. */
  readonly total: number;
  readonly timestamp?: number | undefined;
  readonly done: boolean;
}

/** Output of a step. */
export interface SolveLog {
  readonly vertex: string;
  /** 2 is standard error. */
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
  readonly timestamp?: number | undefined;
}

/** What BuildKit's checks have to say about the Dockerfile. */
export interface SolveWarning {
  readonly short: string;
  readonly detail: readonly string[];
  readonly url: string;
  readonly file?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
}
