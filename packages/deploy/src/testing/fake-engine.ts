import { createHash } from 'node:crypto';
import type { EngineName } from '@boxwright/build';
import { BoxwrightError } from '@boxwright/errors';
import { parseDigest } from '@boxwright/oci';
import type { StepBuildRequest, StepEngine, StepPushRequest } from '../steps/engines/step-engine.ts';

/** An engine that builds nothing and takes notes. */
export interface FakeEngine extends StepEngine {
  readonly builds: StepBuildRequest[];
  readonly pushes: StepPushRequest[];
  /** Canonical references that the registry has. */
  readonly pushed: string[];
  /** Builds and pushes that run at the moment, and the most there were at once. */
  most: number;
}

/** How a {@link FakeEngine} behaves. */
export interface FakeEngineOptions {
  readonly name?: EngineName;
  /** Milliseconds that a build takes. */
  readonly takesMs?: number;
  /** References whose push fails. */
  readonly refuses?: readonly string[];
  readonly failsToBuild?: boolean;
}

export function fakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  const { name = 'embedded', takesMs = 1, refuses = [], failsToBuild = false } = options;
  const known = new Map<string, string>();
  let running = 0;
  const during = async (engine: FakeEngine): Promise<void> => {
    running += 1;
    engine.most = Math.max(engine.most, running);
    await new Promise((fulfil) => setTimeout(fulfil, takesMs));
    running -= 1;
  };
  return {
    name,
    builds: [],
    pushes: [],
    pushed: [],
    most: 0,
    async build(request) {
      this.builds.push(request);
      await during(this);
      if (failsToBuild) throw new BoxwrightError('RUN_FAILED', 'it failed', { details: { exitCode: 3 } });
      const imageId = parseDigest(`sha256:${createHash('sha256').update(request.contextDir).digest('hex')}`);
      for (const tag of request.tags) known.set(tag, imageId);
      return { imageId, digest: imageId, bytes: 1000 };
    },
    identityOf: (reference) => Promise.resolve(known.get(reference)),
    async push(request) {
      this.pushes.push(request);
      for (const reference of request.references) {
        await during(this);
        if (refuses.includes(reference)) {
          throw new BoxwrightError('REGISTRY_UNAUTHORIZED', `${reference} was refused`, { hint: 'log in' });
        }
        this.pushed.push(reference);
        request.onPushed(reference, { digest: undefined, bytes: 500, upToDate: false });
      }
    },
  };
}
