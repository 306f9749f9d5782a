import type { ImageStore, Limiter, OverlayNamespace } from '@boxwright/oci';
import type { Layer } from '../layers/layer.ts';
import type { PlannedStep } from '../plan/stage-evaluation.ts';
import type { BuildTasks } from '../workers/tasks.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';
import type { BuildRequest } from './engine.ts';
import type { FinishedStep } from './finished-step.ts';

/** What every step of one build has at hand. */
export interface BuildSession {
  readonly request: BuildRequest;
  readonly store: ImageStore;
  readonly pool: WorkerPool;
  /** The same tasks on the main thread, for what is small. */
  readonly inline: BuildTasks;
  readonly overlay: OverlayNamespace;
  /** Text of the `.dockerignore` in force. */
  readonly ignoreText: string | undefined;
  readonly runs: Limiter;
  readonly signal: AbortSignal;
  /** Run when all steps have ended, well or not. */
  readonly atEnd: (() => Promise<void>)[];
  /** The layers of a stage of the plan, executed if they have to be. */
  stageLayers(stage: number): Promise<readonly Layer[]>;
  /** Does the work of a key once, also when several stages have the same step at the same time. */
  once(key: string, work: () => Promise<FinishedStep>): Promise<FinishedStep>;
  /** Adds the place in the Dockerfile to an error of a step, and ends all other steps: the build has failed. */
  fail(error: unknown, step: PlannedStep): unknown;
  /** Cache key of a stage's file system. */
  stageKey(stage: number): Promise<string>;
}

/** SOURCE_DATE_EPOCH in nanoseconds. */
export function epochNs(request: BuildRequest): bigint | undefined {
  return request.sourceDateEpoch === undefined ? undefined : BigInt(request.sourceDateEpoch) * 1_000_000_000n;
}

/** Part of every cache key: with another epoch the times in layers differ. */
export function epochKey(request: BuildRequest): string {
  return request.sourceDateEpoch === undefined ? '' : String(request.sourceDateEpoch);
}

export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
