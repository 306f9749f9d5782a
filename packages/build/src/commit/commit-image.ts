import {
  buildImageConfig,
  type Descriptor,
  type Digest,
  descriptorOf,
  type ImageStore,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_MANIFEST,
  serializeManifest,
} from '@boxwright/oci';
import type { BaseLayer } from '../plan/base-image.ts';
import type { HistoryRow, ImageState } from '../plan/image-state.ts';
import { completeHistory } from './history.ts';

/** What an image is made of once all layers are there. */
export interface ImageParts {
  readonly state: ImageState;
  /** Time of each row that a step made, by index in the history. */
  readonly created: ReadonlyMap<number, string>;
  /** Base first. */
  readonly layers: readonly BaseLayer[];
  readonly annotations: ReadonlyMap<string, string>;
}

/** A finished image: config and manifest are in the store. */
export interface CommittedImage {
  readonly imageId: Digest;
  readonly config: Descriptor;
  readonly manifest: Descriptor;
}

/** Writes the config and the manifest; layers are in the store already. */
export function commitImage(store: ImageStore, parts: ImageParts): CommittedImage {
  const rows = parts.state.history.map((row, at) => {
    const created = row.created ?? parts.created.get(at);
    return created === undefined ? row : { ...row, created };
  });
  const history = completeHistory(rows, parts.layers.length);
  const config = configDocument(
    parts.state,
    history,
    parts.layers.map(({ diffId }) => diffId),
  );
  const configDescriptor = storeDocument(store, config, OCI_CONFIG);
  const layers = parts.layers.map(({ descriptor }) => descriptor);
  const manifest = serializeManifest({
    mediaType: OCI_MANIFEST,
    config: configDescriptor,
    layers,
    ...(parts.annotations.size === 0 ? {} : { annotations: parts.annotations }),
  });
  return {
    imageId: configDescriptor.digest,
    config: configDescriptor,
    manifest: storeDocument(store, manifest, OCI_MANIFEST),
  };
}

/** The config document of a state, with its final history. */
export function configDocument(state: ImageState, history: readonly HistoryRow[], diffIds: readonly Digest[]): Buffer {
  const { settings, platform, author } = state;
  const { healthcheck } = settings;
  return buildImageConfig({
    architecture: platform.architecture,
    os: platform.os,
    variant: platform.variant,
    osVersion: platform.osVersion,
    osFeatures: platform.osFeatures,
    author,
    config: {
      User: settings.user,
      Env: settings.env,
      Cmd: settings.cmd ?? [],
      Entrypoint: settings.entrypoint ?? [],
      WorkingDir: settings.workingDir,
      Labels: settings.labels,
      ExposedPorts: settings.exposedPorts,
      Volumes: settings.volumes,
      StopSignal: settings.stopSignal,
      Shell: settings.shell ?? [],
      OnBuild: settings.onBuild,
      ArgsEscaped: settings.argsEscaped,
      Healthcheck:
        healthcheck === undefined
          ? undefined
          : {
              Test: healthcheck.test,
              Interval: healthcheck.intervalNs,
              Timeout: healthcheck.timeoutNs,
              StartPeriod: healthcheck.startPeriodNs,
              StartInterval: healthcheck.startIntervalNs,
              Retries: healthcheck.retries,
            },
    },
    rootfs: { diffIds },
    history,
  });
}

/** A built layer's descriptor: an uncompressed tar, so its digest is its diffID. */
export function layerDescriptor(diffId: Digest, size: number): BaseLayer {
  return { diffId, descriptor: { mediaType: OCI_LAYER, digest: diffId, size } };
}

function storeDocument(store: ImageStore, bytes: Buffer, mediaType: string): Descriptor {
  const blob = store.createBlob();
  try {
    blob.write(bytes);
    blob.commit();
  } catch (error) {
    blob.abort();
    throw error;
  }
  return descriptorOf(bytes, mediaType);
}
