import type { EngineName } from '@boxwright/build';
import { closestMatch } from '@boxwright/errors';
import type { BuildDockerImageOptions } from './build-docker-image-options.ts';
import type { StepContext } from './step-context.ts';
import type { StepInputs } from './step-inputs.ts';

const backends = ['docker-py', 'buildx', 'embedded', 'docker'] as const;

/** `build_backend` of a step. @throws LocatedError STEP_INPUT_INVALID */
export function readBackend(inputs: StepInputs): BuildDockerImageOptions['buildBackend'] {
  const text = inputs.text('build_backend');
  if (text === undefined) return undefined;
  const known = backends.find((name) => name === text);
  if (known !== undefined) return known;
  const nearest = closestMatch(text, backends);
  throw inputs.invalid(
    'build_backend',
    `'${text}' is none. Expected 'docker-py' or 'buildx', 'embedded' or 'docker'.`,
    nearest === undefined ? undefined : `Did you mean ${nearest}?`,
  );
}

/** The engine for a backend that a step asks for. */
export function engineOfBackend(
  backend: BuildDockerImageOptions['buildBackend'],
  { defaultEngine, engineIsForced }: Pick<StepContext, 'defaultEngine' | 'engineIsForced'>,
): EngineName {
  if (backend === undefined || engineIsForced) return defaultEngine;
  return backend === 'docker-py' ? 'docker' : backend;
}
