import type { Platform } from '@boxwright/oci';

/** A history row under construction. `created` is filled in at commit (BuildKit's filling rule). */
export interface HistoryRow {
  readonly createdBy: string;
  readonly comment?: string;
  readonly emptyLayer: boolean;
  /** RFC 3339; rows of the base image and, with SOURCE_DATE_EPOCH, all rows have it from the start. */
  readonly created?: string;
  readonly author?: string;
}

/** HEALTHCHECK as the config stores it; durations in nanoseconds. */
export interface HealthcheckState {
  readonly test: readonly string[];
  readonly intervalNs: number;
  readonly timeoutNs: number;
  readonly startPeriodNs: number;
  readonly startIntervalNs: number;
  readonly retries: number;
}

/** The part of an image config that a Dockerfile changes. */
export interface ContainerSettings {
  readonly user: string;
  readonly exposedPorts: readonly string[];
  readonly env: readonly string[];
  readonly entrypoint: readonly string[] | undefined;
  readonly cmd: readonly string[] | undefined;
  readonly argsEscaped: boolean;
  readonly volumes: readonly string[];
  readonly workingDir: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly stopSignal: string;
  readonly shell: readonly string[] | undefined;
  readonly healthcheck: HealthcheckState | undefined;
  readonly onBuild: readonly string[];
}

/** An image while its stage is evaluated: everything but the layers' content. */
export interface ImageState {
  readonly platform: Platform;
  readonly author: string | undefined;
  readonly settings: ContainerSettings;
  readonly history: readonly HistoryRow[];
}

/** What Linux images get as PATH when nothing sets one (BuildKit `system.DefaultPathEnv`). */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The state `FROM scratch` starts from: BuildKit gives it a PATH and `/` as working directory. */
export function emptyImageState(platform: Platform): ImageState {
  return {
    platform,
    author: undefined,
    settings: {
      user: '',
      exposedPorts: [],
      env: [`PATH=${DEFAULT_PATH}`],
      entrypoint: undefined,
      cmd: undefined,
      argsEscaped: false,
      volumes: [],
      workingDir: '/',
      labels: new Map(),
      stopSignal: '',
      shell: undefined,
      healthcheck: undefined,
      onBuild: [],
    },
    history: [],
  };
}

/** `K=V` entries with `key` set: replaced in place where it is, else appended. */
export function withEnv(env: readonly string[], key: string, value: string): readonly string[] {
  const entry = `${key}=${value}`;
  const at = env.findIndex((existing) => envKey(existing) === key);
  return at === -1 ? [...env, entry] : env.with(at, entry);
}

/** The name part of a `K=V` entry. */
export function envKey(entry: string): string {
  const at = entry.indexOf('=');
  return at === -1 ? entry : entry.slice(0, at);
}

/** The value part of a `K=V` entry; empty when there is no `=`. */
export function envValue(entry: string): string {
  const at = entry.indexOf('=');
  return at === -1 ? '' : entry.slice(at + 1);
}
