import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import {
  type CredentialStore,
  type Digest,
  type EngineClient,
  engineEvents,
  familiarName,
  isDigest,
  parseReference,
  withDefaultTag,
} from '@boxwright/oci';
import { ProgressReporter, type StepProgress } from '../../engine/progress.ts';
import type { BuildEvent } from '../../events.ts';
import { looksDenied, looksTransient } from '../build-failure.ts';
import { defaultWaits, type RetryPolicy, withRetries } from '../retry.ts';
import { registryAuth } from './registry-auth.ts';

/** How an image is pushed by the engine that has it. */
export interface EnginePushOptions {
  readonly credentials: CredentialStore;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
  readonly retry?: Omit<RetryPolicy, 'signal'> | undefined;
}

/**
 * Pushes an image that a Docker Engine has, under one of its names.
 *
 * @returns its digest in the registry
 * @throws BoxwrightError IMAGE_NOT_FOUND, ENGINE_PUSH_FAILED, REFERENCE_INVALID, and those of the client
 */
export function pushFromEngine(client: EngineClient, name: string, options: EnginePushOptions): Promise<Digest> {
  const { signal, retry = { waits: defaultWaits } } = options;
  const reporter = new ProgressReporter(options.onEvent);
  return withRetries({ ...retry, signal }, () =>
    reporter.during(`pushing ${name}`, (step) => push(client, name, options, step)),
  );
}

async function push(
  client: EngineClient,
  name: string,
  { credentials, signal }: EnginePushOptions,
  step: StepProgress,
): Promise<Digest> {
  const reference = withDefaultTag(parseReference(name));
  const { domain: registry, path, tag } = reference;
  if (tag === undefined) {
    throw new BoxwrightError('ENGINE_UNSUPPORTED', `${escapeForTerminal(name)}: an engine pushes tags, not digests`, {
      hint: 'name a tag',
    });
  }
  const auth = await registryAuth(credentials, { registry, path }, signal);
  const repository = familiarName({ domain: registry, path });
  let digest: string | undefined;
  try {
    const response = await client.request({
      method: 'POST',
      path: `/images/${repository}/push`,
      query: { tag },
      headers: { 'X-Registry-Auth': auth },
      signal,
    });
    for await (const event of engineEvents(response.body)) {
      // An error counts whatever else the event says.
      if (event.error !== undefined) throw failed(name, event.error);
      digest = digestOf(event.aux) ?? digest;
      const { status, id, current, total } = event;
      if (status !== undefined && id !== undefined) {
        step.status(
          `${id} ${status}`,
          current ?? 0,
          total,
          total === undefined ? 'files' : 'bytes',
          total === undefined,
        );
      }
    }
  } catch (error) {
    throw error instanceof BoxwrightError ? explained(name, error) : error;
  }
  if (digest !== undefined && isDigest(digest)) return digest;
  throw new BoxwrightError(
    'ENGINE_ANSWER_INVALID',
    `the Docker Engine named no digest for ${escapeForTerminal(name)}`,
    {
      hint: 'look whether the image is in the registry',
    },
  );
}

function digestOf(aux: unknown): string | undefined {
  if (typeof aux !== 'object' || aux === null || !('Digest' in aux)) return undefined;
  return typeof aux.Digest === 'string' ? aux.Digest : undefined;
}

function explained(name: string, error: BoxwrightError): BoxwrightError {
  // Of engines that know before they begin.
  if (error.code === 'ENGINE_NOT_FOUND' || error.details['missing'] === true) {
    return new BoxwrightError('IMAGE_NOT_FOUND', `the Docker Engine has no image ${escapeForTerminal(name)} to push`, {
      hint: '`docker images` lists what it has',
      cause: error,
    });
  }
  return error.code === 'ENGINE_FAILED' ? failed(name, error.message, error) : error;
}

function failed(name: string, words: string, cause?: unknown): BoxwrightError {
  const isMissing = /^An image does not exist locally with the tag|^tag does not exist/i.test(words);
  return new BoxwrightError(
    'ENGINE_PUSH_FAILED',
    `${escapeForTerminal(name)} was not pushed: ${escapeForTerminal(words)}`,
    {
      cause,
      hint: looksDenied(words)
        ? 'log in to the registry (boxwright login REGISTRY), and look whether you may write there'
        : undefined,
      details: { transient: looksTransient(words), ...(isMissing ? { missing: true } : {}) },
    },
  );
}
