import { statSync } from 'node:fs';
import { BoxwrightError, closestMatch } from '@boxwright/errors';
import {
  canonicalName,
  type Descriptor,
  familiarName,
  type Image,
  type ImageConfig,
  type ImageStore,
  normalizePlatform,
  type Platform,
  parseReference,
  platformOf,
  type Reference,
  type RegistryAccess,
  repositoryName,
  withDefaultTag,
} from '@boxwright/oci';
import type { BaseImage, BaseImages, BaseLayer } from '../plan/base-image.ts';
import type { HealthcheckState, ImageState } from '../plan/image-state.ts';
import type { BuildRequest, NamedContext } from './engine.ts';
import type { ProgressReporter, StepProgress } from './progress.ts';
import type { RegistryImages } from './registry-images.ts';

/**
 * Base images from the local store, from their registries where the store has them not (or `pull` asks for the newest), and
 * from OCI layouts that `--build-context` names.
 */
export class StoreImages implements BaseImages {
  readonly #request: Pick<BuildRequest, 'store' | 'registries' | 'pull' | 'signal'>;
  readonly #reporter: ProgressReporter | undefined;
  readonly #store: ImageStore;
  #registry: Promise<RegistryImages> | undefined;

  constructor(request: Pick<BuildRequest, 'store' | 'registries' | 'pull' | 'signal'>, reporter?: ProgressReporter) {
    this.#request = request;
    this.#store = request.store;
    this.#reporter = reporter;
  }

  async resolve(name: string | NamedContext, platform: Platform): Promise<BaseImage> {
    if (typeof name !== 'string' && name.kind === 'oci-layout') {
      const { imageOfLayout } = await import('./layout-image.ts');
      return baseImage(this.#store, name.path, await imageOfLayout(this.#store, name, platform), platform);
    }
    if (typeof name !== 'string' && name.kind === 'directory') throw new TypeError('a directory is no image');
    const reference = withDefaultTag(parseReference(typeof name === 'string' ? name : name.reference));
    const canonical = canonicalName(reference);
    const { registries, pull } = this.#request;
    const descriptor = pull === true && registries !== undefined ? undefined : this.#named(reference);
    const image = descriptor === undefined ? undefined : this.#whole(descriptor, platform, registries !== undefined);
    if (image !== undefined) return baseImage(this.#store, canonical, image, platform);
    if (registries === undefined) throw this.#notFound(canonical, familiarName(reference));
    const found = await (await this.#fromRegistries(registries)).resolve(reference, platform);
    return baseImage(this.#store, canonical, found, platform);
  }

  /**
   * Brings the layers of a base image that {@link resolve} found in a registry.
   *
   * @returns false when there was nothing to bring
   */
  async bring(layers: readonly BaseLayer[], step: StepProgress | undefined, signal: AbortSignal): Promise<boolean> {
    return this.#registry === undefined ? false : await (await this.#registry).bring(layers, step, signal);
  }

  /** What a name stands for; with a digest, whatever of that repository has it. */
  #named(reference: Reference): Descriptor | undefined {
    const { digest } = reference;
    if (digest === undefined) return this.#store.resolve(canonicalName(reference));
    return this.#store.listTags().find(({ name, descriptor }) => {
      const stored = parseReference(name);
      return descriptor.digest === digest && repositoryName(stored) === repositoryName(reference);
    })?.descriptor;
  }

  /**
   * The image for a platform; undefined when a part of it is missing (an index of which another platform was pulled) and
   * registries can be asked.
   */
  #whole(descriptor: Descriptor, platform: Platform, canPull: boolean): Image | undefined {
    const image = this.#store.image(descriptor, platform);
    if (!canPull) return image;
    if (!this.#store.hasBlob(image.descriptor.digest)) return undefined;
    const { config, layers } = image.manifest();
    return [config, ...layers].every(({ digest }) => this.#store.hasBlob(digest)) ? image : undefined;
  }

  #fromRegistries(access: () => RegistryAccess): Promise<RegistryImages> {
    this.#registry ??= import('./registry-images.ts').then(
      ({ RegistryImages: Images }) =>
        new Images({
          store: this.#store,
          access,
          signal: this.#request.signal,
          reporter: this.#reporter,
          pull: this.#request.pull === true,
          near: (canonical) => this.#near(canonical),
        }),
    );
    return this.#registry;
  }

  #near(canonical: string): string | undefined {
    const names = this.#store.listTags().map(({ name }) => name);
    const near = closestMatch(canonical, names);
    return near === undefined ? undefined : familiarName(parseReference(near));
  }

  #notFound(canonical: string, familiar: string): BoxwrightError {
    const near = this.#near(canonical);
    const suggestion = near === undefined ? '' : `did you mean ${near}? Otherwise `;
    return new BoxwrightError('IMAGE_NOT_FOUND', `image ${familiar} is not in the local store`, {
      hint: `${suggestion}bring it in with \`boxwright load -i FILE\` or \`boxwright import ROOTFS.tar -t ${familiar}\``,
      details: { reference: canonical },
    });
  }
}

function baseImage(store: ImageStore, name: string, image: Image, wanted: Platform): BaseImage {
  return {
    name,
    state: withRowTimes(stateOf(image.config(), wanted), broughtIn(store, image)),
    layers: image.layers(),
  };
}

/** Rows with a layer but without a time get that of the layer, which is when it came here (BuildKit's `createdAt`). */
function withRowTimes(state: ImageState, time: string): ImageState {
  const history = state.history.map((row) =>
    row.emptyLayer || row.created !== undefined ? row : { ...row, created: time },
  );
  return { ...state, history };
}

function broughtIn(store: ImageStore, image: Image): string {
  return statSync(store.blobPath(image.manifest().config.digest)).ctime.toISOString();
}

/** The config of an image as the state that a stage starts with. */
export function stateOf(image: ImageConfig, wanted: Platform): ImageState {
  const { config } = image;
  return {
    platform: image.architecture === '' || image.os === '' ? wanted : normalizePlatform(platformOf(image)),
    author: image.author,
    settings: {
      user: config.User,
      exposedPorts: config.ExposedPorts,
      env: config.Env,
      entrypoint: config.Entrypoint,
      cmd: config.Cmd,
      argsEscaped: config.ArgsEscaped,
      volumes: config.Volumes,
      workingDir: config.WorkingDir,
      labels: config.Labels,
      stopSignal: config.StopSignal,
      shell: config.Shell,
      healthcheck: healthcheckOf(image),
      onBuild: config.OnBuild,
    },
    history: image.history.map((entry) => ({
      createdBy: entry.createdBy ?? '',
      emptyLayer: entry.emptyLayer ?? false,
      ...(entry.comment === undefined ? {} : { comment: entry.comment }),
      ...(entry.created === undefined ? {} : { created: entry.created }),
      ...(entry.author === undefined ? {} : { author: entry.author }),
    })),
  };
}

function healthcheckOf({ config }: ImageConfig): HealthcheckState | undefined {
  const health = config.Healthcheck;
  if (health === undefined) return undefined;
  return {
    test: health.Test,
    intervalNs: health.Interval,
    timeoutNs: health.Timeout,
    startPeriodNs: health.StartPeriod,
    startIntervalNs: health.StartInterval,
    retries: health.Retries,
  };
}
