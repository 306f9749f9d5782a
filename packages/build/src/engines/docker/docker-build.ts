import { BoxwrightError } from '@boxwright/errors';
import {
  type CredentialStore,
  credentialStore,
  type Digest,
  type EngineClient,
  type EngineEvent,
  type EngineRequest,
  engineClient,
  engineEvents,
  findEngine,
  isDigest,
} from '@boxwright/oci';
import type { BuildRequest, BuildResult } from '../../engine/engine.ts';
import { buildFailure, type EngineBuildError } from '../build-failure.ts';
import { imageNames, imageRegistries } from '../image-registries.ts';
import { defaultWaits, withRetries } from '../retry.ts';
import { decodeSolveStatus } from '../solve/solve-status-proto.ts';
import { SolveTrace } from '../solve/solve-trace.ts';
import { buildQuery, refuseUnsupported } from './build-query.ts';
import { contextFiles } from './context-files.ts';
import { contextTar } from './context-tar.ts';
import type { DockerOptions } from './docker-options.ts';
import { writeOutputs } from './engine-outputs.ts';
import { keptImage } from './kept-image.ts';
import { registryConfig } from './registry-auth.ts';
import { openSession } from './session/build-session.ts';
import { StepEvents } from './step-events.ts';

/** Builds with a Docker Engine. @throws BoxwrightError see docs/errors.md */
export async function dockerBuild(request: BuildRequest, options: DockerOptions): Promise<BuildResult> {
  const named = { ...request, tags: imageNames(request) };
  const client = options.client ?? engineClient(findEngine(options));
  const credentials = options.credentials ?? credentialStore(options);
  const { waits = defaultWaits, onRetry } = options.retry ?? {};
  const policy = { waits, ...(onRetry === undefined ? {} : { onRetry }), signal: request.signal };
  const imageId = await withRetries(policy, () => build(client, credentials, named, options));
  return await completed(client, credentials, named, options, imageId);
}

async function build(
  client: EngineClient,
  credentials: CredentialStore,
  request: BuildRequest,
  options: DockerOptions,
): Promise<Digest> {
  const builder = await builderOf(client, options);
  refuseUnsupported(request, options, builder);
  return builder === 'buildkit'
    ? await buildWithBuildKit(client, credentials, request, options)
    : await buildClassic(client, credentials, request, options);
}

async function builderOf(client: EngineClient, options: DockerOptions): Promise<'classic' | 'buildkit'> {
  const { backend = 'auto', env } = options;
  if (backend !== 'auto') return backend;
  return env['DOCKER_BUILDKIT'] !== '0' && (await client.prefersBuildKit()) ? 'buildkit' : 'classic';
}

async function buildClassic(
  client: EngineClient,
  credentials: CredentialStore,
  request: BuildRequest,
  options: DockerOptions,
): Promise<Digest> {
  const { dockerfile, bytes } = contextTar(contextFiles(request));
  const steps = new StepEvents(request.onEvent);
  const config = await registryConfig(credentials, imageRegistries(request), request.signal);
  const id = await followed(
    client,
    {
      method: 'POST',
      path: '/build',
      query: { ...buildQuery(request, options, dockerfile), version: '1' },
      headers: { 'X-Registry-Config': config },
      body: { bytes, type: 'application/x-tar' },
      signal: request.signal,
    },
    (event) => steps.apply(event),
    ({ error = '', code }) => steps.failed(error, code),
  );
  steps.finish();
  return id;
}

async function buildWithBuildKit(
  client: EngineClient,
  credentials: CredentialStore,
  request: BuildRequest,
  options: DockerOptions,
): Promise<Digest> {
  const trace = new SolveTrace('Docker Engine', request.onEvent);
  const session = await openSession(client, { request, options, files: contextFiles(request), credentials });
  try {
    return await followed(
      client,
      {
        method: 'POST',
        path: '/build',
        query: {
          ...buildQuery(request, options, session.dockerfile),
          version: '2',
          session: session.id,
          remote: 'client-session',
        },
        signal: request.signal,
      },
      ({ aux, id }) => {
        if (id === 'moby.buildkit.trace' && typeof aux === 'string') trace.apply(decodedStatus(aux));
      },
      ({ error = '' }) => trace.failure(error.replace(/^failed to solve: /, '')),
    );
  } finally {
    session.close();
  }
}

/** Reads the events of a build to their end. @returns the image id */
async function followed(
  client: EngineClient,
  request: EngineRequest,
  onEvent: (event: EngineEvent) => void,
  onError: (event: EngineEvent) => EngineBuildError,
): Promise<Digest> {
  let imageId: string | undefined;
  try {
    const response = await client.request(request);
    for await (const event of engineEvents(response.body)) {
      // An error counts whatever else the event says.
      if (event.error !== undefined) throw onError(event);
      imageId = idOf(event.aux) ?? imageId;
      onEvent(event);
    }
  } catch (error) {
    request.signal?.throwIfAborted();
    throw refused(error);
  }
  if (imageId !== undefined && isDigest(imageId)) return imageId;
  throw new BoxwrightError('ENGINE_ANSWER_INVALID', 'the Docker Engine did not return an image ID', {
    hint: 'look at the log of the engine',
  });
}

/** What the engine says before it begins: a Dockerfile that cannot be read, a name that it does not take. */
function refused(error: unknown): unknown {
  if (!(error instanceof BoxwrightError) || error.code !== 'ENGINE_FAILED') return error;
  const { status } = error.details;
  return buildFailure({
    builder: 'Docker Engine',
    message: error.message.replace(/^the Docker Engine says: /, ''),
    status: typeof status === 'number' ? status : undefined,
    cause: error,
  });
}

function idOf(aux: unknown): string | undefined {
  if (typeof aux !== 'object' || aux === null || !('ID' in aux)) return undefined;
  return typeof aux.ID === 'string' ? aux.ID : undefined;
}

/** @throws BoxwrightError ENGINE_ANSWER_INVALID */
function decodedStatus(base64: string): ReturnType<typeof decodeSolveStatus> {
  try {
    return decodeSolveStatus(Buffer.from(base64, 'base64'));
  } catch (error) {
    throw new BoxwrightError('ENGINE_ANSWER_INVALID', "the Docker Engine's report of the build cannot be read", {
      cause: error,
    });
  }
}

async function completed(
  client: EngineClient,
  credentials: CredentialStore,
  request: BuildRequest,
  { retry }: DockerOptions,
  imageId: Digest,
): Promise<BuildResult> {
  const names = request.tags;
  const pushed = await writeOutputs({ client, credentials, request, names, imageId, retry });
  const { manifest, config } = await keptImage(client, imageId, request.signal);
  const digest = pushed ?? manifest;
  return {
    imageId,
    ...(digest === undefined ? {} : { digest }),
    tags: names,
    metadata: {
      ...(config === undefined ? {} : { 'containerimage.config.digest': config }),
      'containerimage.digest': digest ?? imageId,
      ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
    },
  };
}
