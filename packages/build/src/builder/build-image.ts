import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { dockerProxyArgs, parseLayerCompression, parsePlatform, rememberUntagged } from '@boxwright/oci';
import type { BuildEngine, BuildOutput, BuildRequest, BuildResult } from '../engine/engine.ts';
import { createEngine, type EngineName } from '../engines/create-engine.ts';
import type { BuildEvent } from '../events.ts';
import { BuildPlaces, type PlaceOptions } from './build-places.ts';
import { BuildError, inFamily } from './errors.ts';
import { type ProgressSink, ProgressText } from './progress-text.ts';

/** Of builds with and without an {@link ImageBuilder}. */
export interface BuildOptions extends PlaceOptions {
  /** Asks registries for the base images, also for those that the store has. Default false. */
  readonly pull?: boolean;
  /** Gets the progress as text; default: silence. */
  readonly streamProgressTo?: ProgressSink;
  /** Full name of the image, `registry.example.com/team/app:1.2`; several with {@link tags}. */
  readonly tag?: string;
  readonly tags?: readonly string[];
  /** An engine, or its name; default: the embedded one, which needs no daemon. */
  readonly engine?: BuildEngine | EngineName;
  /** Pushes the image to the registries of its names. */
  readonly push?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Gives commands of the build the proxies of the Docker config, as Docker does. Default true. */
  readonly useConfigProxy?: boolean;
  /** Stage to build; default: the last one. */
  readonly target?: string;
  /** Uses no cache: for the whole build, or for some stages. */
  readonly noCache?: boolean | readonly string[];
  readonly secrets?: BuildRequest['secrets'];
  readonly namedContexts?: BuildRequest['namedContexts'];
  readonly network?: BuildRequest['network'];
  readonly extraHosts?: BuildRequest['extraHosts'];
  /** Beside, or in place of, the local store. */
  readonly outputs?: readonly BuildOutput[];
  readonly sourceDateEpoch?: number;
  readonly onEvent?: (event: BuildEvent) => void;
}

/** What {@link buildImage} takes beside the context. */
export interface BuildImageOptions extends BuildOptions {
  /** Path of the Dockerfile, relative to the context; default `Dockerfile`. */
  readonly dockerfile?: string;
  /** The Dockerfile itself, when it is in no file. */
  readonly dockerfileText?: string;
  /** `linux/arm64`; default: that of this machine. */
  readonly platform?: string;
}

/**
 * Prefect's `build_image`: builds a directory with its Dockerfile.
 *
 * @returns the image: its id, and, other than Prefect, its digest and names
 * @throws BuildError with the code of what went wrong; BoxwrightError CONTEXT_REQUIRED, CONTEXT_NOT_FOUND, PLATFORM_INVALID,
 *   REFERENCE_INVALID
 */
export async function buildImage(context: string, options: BuildImageOptions = {}): Promise<BuildResult> {
  checkContext(context);
  const progress = new ProgressText(options.streamProgressTo);
  const { onEvent } = options;
  const engine = await engineOf(options);
  using places = new BuildPlaces(options);
  const request: BuildRequest = {
    ...requestOf(context, options),
    buildArgs: new Map([...proxyArgs(engine, options), ...Object.entries(options.buildArgs ?? {})]),
    store: places.store,
    registries: places.registries,
    onEvent: (event) => {
      progress.onEvent(event);
      onEvent?.(event);
    },
  };
  let result: BuildResult;
  try {
    result = await engine.build(request);
  } catch (error) {
    throw options.signal?.aborted === true ? error : inFamily(BuildError, error, progress.logTail);
  }
  if (result.manifest !== undefined && result.tags.length === 0) {
    rememberUntagged(places.store, result.imageId, result.manifest);
  }
  return result;
}

async function engineOf({ engine = 'embedded', env = process.env, credentials }: BuildOptions): Promise<BuildEngine> {
  if (typeof engine !== 'string') return engine;
  const home = env['HOME'] || homedir();
  return createEngine(engine, { env, home, ...(credentials === undefined ? {} : { credentials }) });
}

/** The docker command, which is behind buildx, adds them itself. */
function proxyArgs(
  { name }: BuildEngine,
  { useConfigProxy = true, env = process.env }: BuildOptions,
): ReadonlyMap<string, string> {
  if (!useConfigProxy || name === 'buildx') return new Map();
  return dockerProxyArgs({ env, home: env['HOME'] || homedir() });
}

function requestOf(
  context: string,
  options: BuildImageOptions,
): Omit<BuildRequest, 'store' | 'registries' | 'buildArgs'> {
  const {
    tag,
    tags = [],
    platform,
    dockerfileText,
    target,
    sourceDateEpoch,
    signal,
    pull = false,
    push = false,
  } = options;
  const compression = parseLayerCompression('gzip');
  return {
    contextDir: resolve(context),
    dockerfilePath: resolve(context, options.dockerfile ?? 'Dockerfile'),
    ...(dockerfileText === undefined ? {} : { dockerfileText }),
    pull,
    tags: tag === undefined || tag === '' ? tags : [tag, ...tags],
    labels: new Map(Object.entries(options.labels ?? {})),
    noCache: options.noCache ?? false,
    secrets: options.secrets ?? [],
    namedContexts: options.namedContexts ?? new Map(),
    network: options.network ?? 'default',
    extraHosts: options.extraHosts ?? [],
    outputs: [...(options.outputs ?? []), ...(push ? [{ type: 'image' as const, push: { compression } }] : [])],
    ...(platform ? { platform: parsePlatform(platform) } : {}),
    ...(target === undefined ? {} : { target }),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function checkContext(context: string): void {
  // Prefect's words; callers without types pass null.
  if (!context) throw new BoxwrightError('CONTEXT_REQUIRED', 'context required to build an image');
  if (statSync(context, { throwIfNoEntry: false }) === undefined) {
    throw new BoxwrightError(
      'CONTEXT_NOT_FOUND',
      `Context path ${escapeForTerminal(resolve(context))} does not exist`,
      {
        hint: 'Give the directory with the files that COPY reads.',
        details: { context },
      },
    );
  }
}
