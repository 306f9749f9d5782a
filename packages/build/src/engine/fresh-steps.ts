import type { Operation } from '../plan/operation.ts';
import type { Plan } from '../plan/plan.ts';

/** Which steps of a stage do without what the cache has. */
export interface StageFreshness {
  /** By step: executed whatever the cache has. */
  readonly executed: readonly boolean[];
  /** By step: sources in other stages are looked at again, their digests not taken from the cache. */
  readonly reread: readonly boolean[];
  /** The stage's file system is made anew, at least its last layers. */
  readonly result: boolean;
}

/**
 * What leaving the cache aside for some stages means for the others. A key says how something is made, not what came out:
 * what was made from a stage that is executed again must be made again too, or it would show the old result. COPY is known
 * by the content of its sources, so only that has to be found out again. Docker with BuildKit does the same.
 */
export function freshSteps(plan: Plan): readonly StageFreshness[] {
  const stages: StageFreshness[] = [];
  const isFresh = (stage: number): boolean => stages[stage]?.result ?? false;
  for (const { base, noCache, steps } of plan.stages) {
    let fresh = noCache || (base.kind === 'stage' && isFresh(base.stage));
    const executed: boolean[] = [];
    const reread: boolean[] = [];
    for (const { operation } of steps) {
      const hasFreshSource = sourceStages(operation).some(isFresh);
      if (operation.kind === 'run') fresh ||= hasFreshSource;
      executed.push(fresh);
      reread.push(fresh || hasFreshSource);
    }
    stages.push({ executed, reread, result: fresh });
  }
  return stages;
}

/** Stages that an operation reads from. */
function sourceStages(operation: Operation): readonly number[] {
  if (operation.kind === 'workdir') return [];
  const sources =
    operation.kind === 'copy'
      ? operation.transfers.map(({ from }) => from)
      : operation.mounts.map((mount) => (mount.type === 'bind' || mount.type === 'cache' ? mount.from : undefined));
  return sources.flatMap((from) => (from?.kind === 'stage' ? [from.stage] : []));
}
