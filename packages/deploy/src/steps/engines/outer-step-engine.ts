import {
  type BuildOutput,
  type BuildxOptions,
  createBuildxEngine,
  createDockerEngine,
  type DockerOptions,
  pushFromEngine,
} from '@boxwright/build';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import {
  credentialStore,
  type Digest,
  type EngineClient,
  engineClient,
  findEngine,
  type ImageStore,
  isDigest,
} from '@boxwright/oci';
import { credentialsWith } from '../registry-login.ts';
import { inspectedImage } from './inspected-image.ts';
import { refuseExtras } from './refuse-extras.ts';
import type { EngineExtras, StepBuildRequest, StepEngine } from './step-engine.ts';

/** What engines outside of this process are found by. */
export interface OuterStepEngineOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** For outputs that are fetched from the engine. */
  readonly store: () => ImageStore;
}

const gzip = { compression: { compression: 'gzip' } } as const;

/** Builds and pushes with a Docker Engine, by its API: Prefect's `docker-py`. */
export function dockerStepEngine(options: OuterStepEngineOptions): StepEngine {
  const client = engineClient(findEngine(options));
  return outerStepEngine('docker', options, client, (extras) => {
    refuseExtras('docker', extras, ['cacheTo', 'platforms', 'builder']);
    return createDockerEngine({ client, ...outerOptions(options, extras) });
  });
}

/** Builds with `docker buildx build`, and has the engine that keeps its images push them. */
export function buildxStepEngine(options: OuterStepEngineOptions): StepEngine {
  return outerStepEngine('buildx', options, engineClient(findEngine(options)), (extras) =>
    createBuildxEngine({
      ...outerOptions(options, extras),
      ...(extras.platforms === undefined ? {} : { platforms: extras.platforms }),
      ...(extras.cacheTo === undefined ? {} : { cacheTo: extras.cacheTo }),
      ...(extras.builder === undefined ? {} : { builder: extras.builder }),
    }),
  );
}

function outerOptions({ env, home }: OuterStepEngineOptions, extras: EngineExtras): DockerOptions & BuildxOptions {
  const { cacheFrom, ssh, shmSize } = extras;
  return {
    env,
    home,
    ...(cacheFrom === undefined ? {} : { cacheFrom }),
    ...(ssh === undefined ? {} : { ssh }),
    ...(shmSize === undefined ? {} : { shmSize }),
  };
}

function outerStepEngine(
  name: 'docker' | 'buildx',
  { env, home, store }: OuterStepEngineOptions,
  client: EngineClient,
  make: (extras: EngineExtras) => ReturnType<typeof createDockerEngine>,
): StepEngine {
  return {
    name,
    async build(request) {
      const { push, extras, ...rest }: StepBuildRequest = request;
      const outputs: readonly BuildOutput[] = push ? [{ type: 'image', push: gzip }] : [];
      const result = await make(extras)
        .build({ ...rest, store: store(), outputs })
        .catch((error: unknown) => {
          throw withoutDaemon(error);
        });
      const kept = await inspectedImage(client, request.tags[0] ?? result.imageId).catch(() => undefined);
      return { imageId: result.imageId, digest: result.digest, bytes: kept?.bytes };
    },
    identityOf: async (reference) => (await inspectedImage(client, reference))?.id,
    async push({ references, login, row, signal, onPushed }) {
      for (const reference of references) await requireImage(client, name, reference);
      const credentials = credentialsWith(login, credentialStore({ env, home }));
      for (const reference of references) {
        const digest: Digest = await pushFromEngine(client, reference, {
          credentials,
          signal,
          onEvent(event) {
            if (event.type === 'status') row.status(event.name, event.current, event.total, event.done);
          },
        });
        row.line(`${reference}: digest: ${digest}`);
        onPushed(reference, { digest: isDigest(digest) ? digest : undefined, bytes: undefined, upToDate: false });
      }
    },
  };
}

/** Whoever has no daemon here may not know that none is needed: files of Prefect's name an engine that needs one. */
function withoutDaemon(error: unknown): unknown {
  if (!isBoxwrightError(error) || error.code !== 'ENGINE_UNREACHABLE') return error;
  const { code, message, hint, details } = error;
  const without = 'No daemon is needed with --engine embedded, or build_backend: embedded in the step.';
  return new BoxwrightError(code, message, {
    hint: hint === undefined ? without : `${hint.replace(/[^.]$/, '$&.')} ${without}`,
    details,
    cause: error,
  });
}

/** All names are looked at before anything is sent. */
async function requireImage(client: EngineClient, engine: string, reference: string): Promise<void> {
  if ((await inspectedImage(client, reference)) !== undefined) return;
  throw new BoxwrightError('IMAGE_NOT_FOUND', `the Docker Engine has no image ${reference} to push`, {
    hint:
      engine === 'buildx'
        ? 'What a build has pushed already (push: true) is not kept: leave the push step out.'
        : 'A push takes what a build step before it made, under the same image_name and tag.',
    details: { reference },
  });
}
