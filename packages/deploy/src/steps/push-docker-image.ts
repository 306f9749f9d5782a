import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import type { BuildDockerImageOptions } from './build-docker-image-options.ts';
import type { PushedTag } from './engines/step-engine.ts';
import { type StepImage, stepImage, taggedName } from './image-name.ts';
import { engineOfBackend, readBackend } from './read-backend.ts';
import { type RegistryCredentials, readCredentials, registryLogin } from './registry-login.ts';
import { cacheKey } from './step-cache.ts';
import type { StepContext } from './step-context.ts';
import { defineStep, type StepDefinition } from './step-definition.ts';
import type { PushedReport } from './step-report.ts';

/** What {@link pushDockerImage} is told: Prefect's `push_docker_image`. */
export interface PushDockerImageOptions {
  /** Registry and repository; a tag may follow. */
  readonly imageName: string;
  /** Default `latest`. */
  readonly tag?: string | undefined;
  /** For this push alone; otherwise what `docker login` or `boxwright login` has stored. */
  readonly credentials?: RegistryCredentials | undefined;
  /** Pushed after the tag, in this order; none of them once one has failed. */
  readonly additionalTags?: readonly string[] | undefined;
  /** Asks the registry also when an equal step of this run has. */
  readonly ignoreCache?: boolean | undefined;
  readonly buildBackend?: BuildDockerImageOptions['buildBackend'];
}

/** What {@link pushDockerImage} gives: Prefect's names, and the digest. */
export interface PushDockerImageResult {
  readonly image_name: string;
  readonly tag: string;
  /** `image_name:tag` */
  readonly image: string;
  readonly additional_tags: readonly string[];
  /** What the tag stands for in the registry, where the engine tells. */
  readonly digest: string | null;
}

/**
 * Pushes an image that was built before, tag after tag; the first failure ends it.
 *
 * @throws BoxwrightError REFERENCE_INVALID, STEP_INPUT_INVALID, IMAGE_NOT_FOUND, and those of registries and engines, with
 *   `details.pushed` and `details.notPushed`
 */
export async function pushDockerImage(
  options: PushDockerImageOptions,
  context: StepContext,
): Promise<PushDockerImageResult> {
  const image = stepImage(options, context.env);
  const engineName = engineOfBackend(options.buildBackend, context);
  const tag = image.tag ?? 'latest';
  const tags = [tag, ...image.additionalTags.filter((other) => other !== tag)];
  const references = tags.map((one) => taggedName(image, one));
  const identities: string[] = [];
  for (const reference of references) {
    identities.push((await context.engine(engineName).identityOf(reference)) ?? 'unknown');
  }
  // Whose credentials they were does not change what is in the registry.
  const key = cacheKey('push', { engine: engineName, references, identities });
  const { value, cached } = await context.cache.result(
    key,
    () => push(options, image, { tags, references }, context),
    options.ignoreCache,
  );
  if (cached) context.report({ ...value, cached: true, seconds: 0 });
  return {
    image_name: image.name,
    tag,
    image: `${image.name}:${tag}`,
    additional_tags: image.additionalTags,
    digest: value.digest ?? null,
  };
}

async function push(
  options: PushDockerImageOptions,
  image: StepImage,
  { tags, references }: { readonly tags: readonly string[]; readonly references: readonly string[] },
  context: StepContext,
): Promise<PushedReport> {
  const { credentials, buildBackend } = options;
  const login = credentials === undefined ? undefined : registryLogin(credentials, context.redactor);
  if (login !== undefined && login.registry !== image.reference.domain) {
    const { username, registry } = login;
    context.progress.warning(
      `the credentials of ${username} are for ${registry}, and ${image.name} goes to ${image.reference.domain}: they are not used`,
    );
  }
  const engine = context.engine(engineOfBackend(buildBackend, context));
  const started = performance.now();
  const pushed: PushedTag[] = [];
  const reportOf = (there: readonly string[]): PushedReport => ({
    kind: 'pushed',
    imageName: image.name,
    tags: there,
    digest: pushed[0]?.digest,
    bytes: pushed[0]?.bytes,
    upToDate: pushed.every(({ upToDate }) => upToDate),
    cached: false,
    seconds: Math.round(performance.now() - started) / 1000,
    engine: engine.name,
  });
  await context.progress.during(`push ${image.name}:${tags.join(', ')}`, async (row) => {
    try {
      await engine.push({
        references,
        login,
        row,
        signal: context.signal,
        onPushed: (_, one) => pushed.push(one),
      });
    } catch (error) {
      if (pushed.length > 0) context.report(reportOf(tags.slice(0, pushed.length)));
      throw withTags(error, tags, pushed.length);
    }
  });
  const report = reportOf(tags);
  context.report(report);
  return report;
}

/** Which tags are in the registry and which are not belongs to the error. */
function withTags(error: unknown, tags: readonly string[], count: number): unknown {
  if (!isBoxwrightError(error)) return error;
  const [pushed, notPushed] = [tags.slice(0, count), tags.slice(count)];
  const { code, message, hint, details } = error;
  const rest =
    tags.length === 1 ? '' : ` (pushed: ${pushed.join(', ') || 'none'}; not pushed: ${notPushed.join(', ')})`;
  return new BoxwrightError(code, `${message}${rest}`, {
    hint,
    cause: error,
    details: { ...details, pushed, notPushed },
  });
}

/** The step. */
export const pushDockerImageStep: StepDefinition = defineStep({
  name: 'push_docker_image',
  modules: [
    'prefect_docker.deployments.steps',
    'prefect_docker.deployments',
    'prefect_docker.projects.steps',
    'prefect_docker.steps',
  ],
  inputs: ['image_name', 'tag', 'credentials', 'additional_tags', 'ignore_cache', 'build_backend'],
  results: ['image_name', 'tag', 'image', 'additional_tags', 'digest'],
  changesFiles: false,
  read(inputs, context) {
    const credentials = inputs.mapping('credentials');
    const options: PushDockerImageOptions = {
      imageName: inputs.requiredText('image_name'),
      tag: inputs.text('tag'),
      credentials: credentials === undefined ? undefined : readCredentials('push_docker_image', credentials),
      additionalTags: inputs.texts('additional_tags'),
      ignoreCache: inputs.boolean('ignore_cache'),
      buildBackend: readBackend(inputs),
    };
    stepImage(options, context.env);
    if (options.credentials !== undefined) registryLogin(options.credentials, context.redactor);
    return options;
  },
  run: pushDockerImage,
});
