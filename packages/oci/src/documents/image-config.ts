import type { Digest } from '../names/digest.ts';
import type { JsonObject } from './json.ts';

/**
 * OCI image-spec config.md with the fields that Docker adds (moby/docker-image-spec). Member names of `config` are those
 * of the document; absent strings are `''`, absent lists and maps are empty, which mean the same there.
 */
export interface ImageConfig {
  /** RFC 3339, as written. */
  readonly created?: string;
  readonly author?: string;
  /** `''` when the document does not say: see `platformOf`. */
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  readonly config: ContainerConfig;
  readonly rootfs: RootFs;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  /** The bytes as they came: what the digest, the image ID, is of. */
  readonly raw: Buffer;
  /** All members, also those that have no field here. */
  readonly json: JsonObject;
}

/** How to start a container: the `config` member. */
export interface ContainerConfig {
  /** `user[:group]`, names or numbers. */
  readonly User: string;
  /** `NAME=value`. */
  readonly Env: readonly string[];
  readonly Cmd: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: ReadonlyMap<string, string>;
  /** `8080/tcp`, in the order of the document. */
  readonly ExposedPorts: readonly string[];
  readonly Volumes: readonly string[];
  readonly StopSignal: string;
  /** What shell-form instructions are run with; empty means `/bin/sh -c`. */
  readonly Shell: readonly string[];
  readonly Healthcheck?: Healthcheck;
  /** Instructions for builds from this image. */
  readonly OnBuild: readonly string[];
  /** Windows only: Cmd is a ready command line. */
  readonly ArgsEscaped: boolean;
}

/** HEALTHCHECK. Durations in nanoseconds; 0 means the default of the engine. */
export interface Healthcheck {
  /** `[]` inherit, `['NONE']`, `['CMD', ...args]` or `['CMD-SHELL', command]`. */
  readonly Test: readonly string[];
  readonly Interval: number;
  readonly Timeout: number;
  readonly StartPeriod: number;
  readonly StartInterval: number;
  readonly Retries: number;
}

/** The layers by the digests of their uncompressed tar archives, base first. */
export interface RootFs {
  readonly diffIds: readonly Digest[];
}

/** One step of how the image was made. */
export interface HistoryEntry {
  /** RFC 3339, as written. */
  readonly created?: string;
  readonly createdBy?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True when the step made no layer. */
  readonly emptyLayer?: boolean;
}

/** A `config` with nothing in it. */
export const emptyContainerConfig: ContainerConfig = {
  User: '',
  Env: [],
  Cmd: [],
  Entrypoint: [],
  WorkingDir: '',
  Labels: new Map(),
  ExposedPorts: [],
  Volumes: [],
  StopSignal: '',
  Shell: [],
  OnBuild: [],
  ArgsEscaped: false,
};
