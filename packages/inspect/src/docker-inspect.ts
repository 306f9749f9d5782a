import type { ContainerConfig, Descriptor, Digest, Healthcheck, ImageConfig } from '@boxwright/oci';

/** What {@link dockerInspect} needs beside the config. */
export interface DockerInspectSource {
  /** Digest of the config blob. */
  readonly id: Digest;
  readonly config: ImageConfig;
  /** What the image's names stand for: a manifest or an index. */
  readonly descriptor: Descriptor;
  /** Familiar names with tags. */
  readonly repoTags: readonly string[];
  /** Familiar names with digests. */
  readonly repoDigests: readonly string[];
  /** Uncompressed bytes of all layers. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly lastTagTime?: number;
}

/**
 * What `docker image inspect` prints for an image: the members and their order of the Engine API's `InspectResponse` as
 * of version 1.52, which leaves out what is empty (and no longer has `Container`, `ContainerConfig` and the host's part
 * of `Config`). `GraphDriver` belongs to one host's storage and is left out.
 */
export function dockerInspect(source: DockerInspectSource): Record<string, unknown> {
  const { config } = source;
  return {
    Id: source.id,
    RepoTags: source.repoTags,
    RepoDigests: source.repoDigests,
    ...present('Comment', config.history.at(-1)?.comment),
    ...present('Created', config.created),
    ...present('Author', config.author),
    Config: containerConfig(config.config),
    Architecture: config.architecture,
    ...present('Variant', config.variant),
    Os: config.os,
    ...present('OsVersion', config.osVersion),
    Size: source.size,
    RootFS: { Type: 'layers', ...present('Layers', config.rootfs.diffIds) },
    // Go's zero time, as Docker prints for an image that was never tagged here.
    Metadata: {
      LastTagTime:
        source.lastTagTime === undefined ? '0001-01-01T00:00:00Z' : new Date(source.lastTagTime).toISOString(),
    },
    Descriptor: {
      mediaType: source.descriptor.mediaType,
      digest: source.descriptor.digest,
      size: source.descriptor.size,
    },
  };
}

/** moby/docker-image-spec `DockerOCIImageConfig`, every member left out when empty. */
function containerConfig(config: ContainerConfig): Record<string, unknown> {
  return {
    ...present('User', config.User),
    ...present('ExposedPorts', nameSet(config.ExposedPorts)),
    ...present('Env', config.Env),
    ...present('Entrypoint', config.Entrypoint),
    ...present('Cmd', config.Cmd),
    ...present('Volumes', nameSet(config.Volumes)),
    ...present('WorkingDir', config.WorkingDir),
    ...present('Labels', sortedMap(config.Labels)),
    ...present('StopSignal', config.StopSignal),
    ...present('ArgsEscaped', config.ArgsEscaped),
    ...present('Healthcheck', config.Healthcheck === undefined ? undefined : healthcheck(config.Healthcheck)),
    ...present('OnBuild', config.OnBuild),
    ...present('Shell', config.Shell),
  };
}

function healthcheck(check: Healthcheck): Record<string, unknown> {
  return {
    ...present('Test', check.Test),
    ...present('Interval', check.Interval),
    ...present('Timeout', check.Timeout),
    ...present('StartPeriod', check.StartPeriod),
    ...present('StartInterval', check.StartInterval),
    ...present('Retries', check.Retries),
  };
}

/** Go's `omitempty`. */
function present(name: string, value: unknown): Record<string, unknown> {
  const empty =
    value === undefined ||
    value === '' ||
    value === 0 ||
    value === false ||
    (Array.isArray(value) && value.length === 0);
  return empty ? {} : { [name]: value };
}

/** Go prints a set of names as a map to empty objects, sorted. */
function nameSet(names: readonly string[]): Record<string, unknown> | undefined {
  return names.length === 0 ? undefined : Object.fromEntries(names.toSorted().map((name) => [name, {}]));
}

function sortedMap(map: ReadonlyMap<string, string>): Record<string, string> | undefined {
  if (map.size === 0) return undefined;
  // fromEntries defines properties, so that a label named __proto__ stays a label.
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
