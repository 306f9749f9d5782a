import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename } from 'node:path';
import { unescape } from 'node:querystring';
import { type AutomaticOptions, type EngineName, generateDockerfile, timestampTag } from '@boxwright/build';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { dockerProxyArgs } from '@boxwright/oci';
import type { BuildDockerImageOptions, BuildDockerImageResult } from './build-docker-image-options.ts';
import { buildKey } from './build-key.ts';
import { BuildWatch } from './build-watch.ts';
import type { BuiltImage } from './engines/step-engine.ts';
import { type StepImage, stepImage, taggedName } from './image-name.ts';
import { onePlatform, type PlannedBuild, planStepBuild } from './plan-step-build.ts';
import { engineOfBackend } from './read-backend.ts';
import { buildInputNames, readBuildInputs } from './read-build-inputs.ts';
import { pathInStep, type StepContext } from './step-context.ts';
import { defineStep, type StepDefinition } from './step-definition.ts';
import type { BuiltReport } from './step-report.ts';

/**
 * Builds an image. A step of the same run with the same context, Dockerfile and arguments is not done again, whoever
 * asks for it; all its askers get the same tag.
 *
 * @throws BoxwrightError REFERENCE_INVALID, STEP_INPUT_INVALID, STEP_INPUT_UNSUPPORTED, CONTEXT_NOT_FOUND, and those of
 *   the engine
 */
export async function buildDockerImage(
  options: BuildDockerImageOptions,
  context: StepContext,
): Promise<BuildDockerImageResult> {
  const image = stepImage(options, context.env);
  const engineName = engineOfBackend(options.buildBackend, context);
  const contextDir = pathInStep(context, options.path ?? '.');
  // Never in the user's tree: in a temporary place that goes with this step.
  await using generated = options.dockerfile === 'auto' ? generateDockerfile(contextDir, kindOf(context)) : undefined;
  if (generated !== undefined && options.persistDockerfile === true) persist(generated.text, options, context);
  for (const note of generated?.dockerfile.notes ?? []) context.progress.warning(`${image.name}: ${note}`);
  const planned = planStepBuild(options, {
    contextDir,
    generated: generated?.path,
    engineName,
    proxyArgs: proxyArgs(options, engineName, context),
  });
  const keys = await buildKey(planned, image, context);
  const { value, cached } = await context.cache.result(
    keys.step,
    // The same image under several names: the engine's cache has all of it the second time.
    () => context.cache.oneAfterTheOther(keys.content, () => build(planned, image, context)),
    options.ignoreCache,
  );
  if (cached) context.report({ ...value.report, cached: true, seconds: 0 });
  return value.result;
}

/** The docker command, which is behind buildx, adds them itself. */
function proxyArgs(
  { useConfigProxy = true }: BuildDockerImageOptions,
  engineName: EngineName,
  { env, redactor }: StepContext,
): ReadonlyMap<string, string> {
  if (!useConfigProxy || engineName === 'buildx') return new Map();
  const args = dockerProxyArgs({ env, home: env['HOME'] || homedir() });
  for (const proxy of args.values()) {
    const { username = '', password = '' } = URL.parse(proxy) ?? {};
    redactor.add(password);
    // Unlike decodeURIComponent it takes any text.
    if (password !== '') redactor.addLogin(unescape(username), unescape(password));
  }
  return args;
}

interface Made {
  readonly result: BuildDockerImageResult;
  readonly report: BuiltReport;
}

async function build(planned: PlannedBuild, image: StepImage, context: StepContext): Promise<Made> {
  const tag = image.tag ?? timestampTag();
  const tags = [tag, ...image.additionalTags.filter((other) => other !== tag)];
  const { engineName, request, timeoutSeconds } = planned;
  const engine = context.engine(engineName);
  const started = performance.now();
  const watch = new BuildWatch(context.progress.ofBuild(`[${image.name}]`));
  const timeout = timeoutSeconds === undefined ? [] : [AbortSignal.timeout(timeoutSeconds * 1000)];
  const built: BuiltImage = await engine.build({
    ...request,
    tags: tags.map((one) => taggedName(image, one)),
    signal: AbortSignal.any([context.signal, ...timeout]),
    onEvent: (event) => watch.onEvent(event),
  });
  const { imageId, digest, bytes } = built;
  const report: BuiltReport = {
    kind: 'built',
    imageName: image.name,
    tags,
    imageId,
    digest,
    bytes,
    cached: watch.isCached,
    seconds: Math.round(performance.now() - started) / 1000,
    engine: engineName,
    pushed: request.push,
  };
  context.report(report);
  const result = {
    image_name: image.name,
    tag,
    image: `${image.name}:${tag}`,
    image_id: imageId,
    additional_tags: image.additionalTags,
    digest: digest ?? null,
  };
  return { result, report };
}

/** In a project of Prefect's, what is deployed are flows, whatever else lies there. */
function kindOf({ env, isPrefectProject }: StepContext): AutomaticOptions {
  return isPrefectProject ? { kind: 'prefect', env } : { env };
}

/** @throws BoxwrightError STEP_INPUT_INVALID for a Dockerfile that somebody else has written */
function persist(text: string, options: BuildDockerImageOptions, context: StepContext): void {
  const path = pathInStep(context, options.dockerfileOutputPath || 'Dockerfile.generated');
  if (basename(path) === 'Dockerfile' && existsSync(path) && readFileSync(path, 'utf8') !== text) {
    throw new BoxwrightError(
      'STEP_INPUT_INVALID',
      `${escapeForTerminal(path)} is there already: Dockerfile already exists.`,
      {
        hint: "Leave out 'dockerfile: auto' to build with it, or give another dockerfile_output_path.",
        details: { input: 'dockerfile_output_path' },
      },
    );
  }
  writeFileSync(path, text);
  const row = context.progress.row(`write ${path}`);
  row.completed();
}

/** The step. */
export const buildDockerImageStep: StepDefinition = defineStep({
  name: 'build_docker_image',
  modules: [
    'prefect_docker.deployments.steps',
    'prefect_docker.deployments',
    'prefect_docker.projects.steps',
    'prefect_docker.steps',
  ],
  inputs: buildInputNames,
  results: ['image_name', 'tag', 'image', 'image_id', 'additional_tags', 'digest'],
  changesFiles: false,
  read(inputs, context) {
    const options = readBuildInputs(inputs, context);
    stepImage(options, context.env);
    onePlatform(options);
    return options;
  },
  run: buildDockerImage,
});
