import { statSync } from 'node:fs';
import { BoxwrightError, closestMatch } from '@boxwright/errors';
import {
  canonicalName,
  familiarName,
  type Image,
  type ImageConfig,
  type ImageStore,
  normalizePlatform,
  type Platform,
  parseReference,
  platformOf,
  withDefaultTag,
} from '@boxwright/oci';
import type { BaseImage, BaseImages } from '../plan/base-image.ts';
import type { HealthcheckState, ImageState } from '../plan/image-state.ts';
import type { NamedContext } from './engine.ts';

/** Base images from the local store and from OCI layouts that `--build-context` names. */
export class StoreImages implements BaseImages {
  readonly #store: ImageStore;

  constructor(store: ImageStore) {
    this.#store = store;
  }

  async resolve(name: string | NamedContext, platform: Platform): Promise<BaseImage> {
    if (typeof name !== 'string' && name.kind === 'oci-layout') {
      const { imageOfLayout } = await import('./layout-image.ts');
      return baseImage(this.#store, name.path, await imageOfLayout(this.#store, name, platform), platform);
    }
    if (typeof name !== 'string' && name.kind === 'directory') throw new TypeError('a directory is no image');
    const reference = withDefaultTag(parseReference(typeof name === 'string' ? name : name.reference));
    const canonical = canonicalName(reference);
    const descriptor = this.#store.resolve(canonical);
    if (descriptor === undefined) throw this.#notFound(canonical, familiarName(reference));
    return baseImage(this.#store, canonical, this.#store.image(descriptor, platform), platform);
  }

  #notFound(canonical: string, familiar: string): BoxwrightError {
    const near = closestMatch(
      canonical,
      this.#store.listTags().map(({ name }) => name),
    );
    const suggestion = near === undefined ? '' : `did you mean ${familiarName(parseReference(near))}? Otherwise `;
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
function stateOf(image: ImageConfig, wanted: Platform): ImageState {
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
