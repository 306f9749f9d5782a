import { readFileSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import type { BuildRequest, BuildResult } from '../../engine/engine.ts';
import { checkContextDirectory } from '../../source/directory-tree.ts';
import { digestIn } from '../digest-in.ts';
import { imageNames, imageRegistries } from '../image-registries.ts';
import { defaultWaits, withRetries } from '../retry.ts';
import { parseSolveStatus } from '../solve/solve-status-json.ts';
import { SolveTrace } from '../solve/solve-trace.ts';
import { sshSources } from '../ssh-agents.ts';
import { buildxArguments, keepsImage, pushes, wantsAttestations } from './buildx-arguments.ts';
import { buildxFailure } from './buildx-failure.ts';
import { TemporaryFiles } from './buildx-files.ts';
import type { BuildxOptions } from './buildx-options.ts';
import { configWithCredentials } from './docker-config.ts';
import { runDocker } from './run-docker.ts';

/** Lines of text beside the progress that are kept for an error. */
const KEPT_LINES = 40;

/** Builds with buildx. @throws BoxwrightError see docs/errors.md */
export async function buildxBuild(given: BuildRequest, options: BuildxOptions): Promise<BuildResult> {
  const request = { ...given, tags: imageNames(given) };
  checkContextDirectory(request.contextDir);
  sshSources(options.ssh ?? [], options.env);
  const { waits = defaultWaits, onRetry } = options.retry ?? {};
  const policy = { waits, ...(onRetry === undefined ? {} : { onRetry }), signal: request.signal };
  return await withRetries(policy, () => build(request, options));
}

async function build(request: BuildRequest, options: BuildxOptions): Promise<BuildResult> {
  using files = new TemporaryFiles(request);
  const trace = new SolveTrace('buildx', request.onEvent);
  const words: string[] = [];
  const { command = 'docker' } = options;
  const env = await environment(request, options, files.directory);
  const code = await runDocker({
    command,
    args: buildxArguments(request, options, files),
    env,
    input: request.dockerfileText,
    stdout: request.outputs.some((output) => 'dest' in output && output.dest === '-') ? 'pass' : 'lines',
    signal: request.signal,
    onLine: (line) => {
      const status = parseSolveStatus(line);
      if (status !== undefined) trace.apply(status);
      else if (words.push(line) > KEPT_LINES) words.shift();
    },
  });
  if (code !== 0) {
    if (!trace.hasBegun) await requireBuildx(command, env, request.signal);
    throw buildxFailure(trace, words, { code, builder: options.builder });
  }
  const metadata = readMetadata(files.metadata);
  const config = digestIn(metadata.get('containerimage.config.digest'));
  const manifest = digestIn(metadata.get('containerimage.digest'));
  const isKnownByManifest =
    keepsImage(request, options) &&
    manifest !== undefined &&
    manifest !== config &&
    (await runDocker({
      command,
      args: ['image', 'inspect', '--', manifest],
      env,
      stdout: 'lines',
      signal: request.signal,
    })) === 0;
  const imageId = isKnownByManifest ? manifest : (config ?? manifest);
  if (imageId === undefined) {
    throw new BoxwrightError('ENGINE_ANSWER_INVALID', 'buildx did not return an image ID', {
      hint: 'look whether the builder has kept the image: docker buildx ls',
    });
  }
  // Engines without containerd's image store keep no manifests: what they call one is the config.
  const digest = manifest === config && !pushes(request) ? undefined : manifest;
  return {
    // What the engine calls it: that depends on its image store, and buildx does not say which it has.
    imageId,
    ...(digest === undefined ? {} : { digest }),
    tags: request.tags,
    metadata: Object.fromEntries(metadata),
  };
}

/** What buildx is to leave undone unless it was asked for it, and the credentials of this build. */
async function environment(
  request: BuildRequest,
  options: BuildxOptions,
  directory: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  const { env, home, credentials } = options;
  const registries = credentials === undefined ? [] : imageRegistries(request);
  const config =
    credentials === undefined
      ? undefined
      : await configWithCredentials({ env, home }, credentials, registries, directory);
  return {
    ...env,
    // Provenance in the metadata file costs a request, an attestation makes every image an index.
    BUILDX_METADATA_PROVENANCE: 'disabled',
    ...(wantsAttestations(options) ? {} : { BUILDX_NO_DEFAULT_ATTESTATIONS: '1' }),
    ...(config === undefined ? {} : { DOCKER_CONFIG: config }),
  };
}

/** The docker command without the plugin says nothing that could be told from an error of a build. */
async function requireBuildx(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const code = await runDocker({ command, args: ['buildx', 'version'], env, stdout: 'lines', signal });
  if (code === 0) return;
  throw new BoxwrightError('BUILDX_NOT_FOUND', `${command} has no buildx`, {
    hint: 'install the plugin (docker-buildx), or build with the engine docker or embedded',
  });
}

function readMetadata(path: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Builds that leave no image behind write none.
  }
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
