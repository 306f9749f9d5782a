import type { EngineName } from '@boxwright/build';
import { BoxwrightError } from '@boxwright/errors';
import type { EngineExtras } from './step-engine.ts';

/** What each of them is called in a step, and what to do without it. */
const shown: Readonly<Record<keyof EngineExtras, readonly [name: string, instead: string]>> = {
  cacheFrom: ['cache_from', 'Leave it out: this engine keeps its own cache.'],
  cacheTo: ['cache_to', 'Leave it out: this engine keeps its own cache.'],
  ssh: ['ssh', 'Pass a key with secrets, or choose build_backend: buildx.'],
  platforms: ['platforms', 'Give one platform, or choose build_backend: buildx.'],
  builder: ['builder', 'Leave it out, or choose build_backend: buildx.'],
  shmSize: ['shmsize', 'Leave it out, or choose another build_backend.'],
};

/** Refuses what this engine cannot do. @throws BoxwrightError STEP_INPUT_UNSUPPORTED */
export function refuseExtras(
  engine: EngineName,
  extras: EngineExtras,
  refused: readonly (keyof EngineExtras)[] = ['cacheFrom', 'cacheTo', 'ssh', 'platforms', 'builder', 'shmSize'],
): void {
  for (const key of refused) {
    if (extras[key] === undefined) continue;
    const [name, hint] = shown[key];
    throw new BoxwrightError('STEP_INPUT_UNSUPPORTED', `the engine ${engine} has no ${name}`, {
      hint,
      details: { engine, input: name },
    });
  }
}
