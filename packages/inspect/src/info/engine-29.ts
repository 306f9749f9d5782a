import type { ContainerConfig, Healthcheck } from '@boxwright/oci';
import { goTime, nameSet, present, sortedMap } from './go-values.ts';
import type { DockerInspectSource, InfoObject } from './info-source.ts';
import { commentOf, metadata, rootFs } from './parts.ts';

/**
 * Docker 29: the members and their order of the Engine API's `InspectResponse` as of version 1.52, which leaves out what
 * is empty. `GraphDriver` is not there with the containerd image store, its default.
 */
export function inspectOfDocker29(source: DockerInspectSource): InfoObject {
  const { config } = source;
  return {
    Id: source.id,
    RepoTags: source.repoTags,
    RepoDigests: source.repoDigests,
    ...present('Comment', commentOf(config)),
    ...present('Created', config.created === undefined ? undefined : goTime(config.created)),
    ...present('Author', config.author),
    Config: imageConfig(config.config),
    Architecture: config.architecture,
    ...present('Variant', config.variant),
    Os: config.os,
    ...present('OsVersion', config.osVersion),
    ...(source.size === undefined ? {} : { Size: source.size }),
    RootFS: rootFs(config),
    Metadata: metadata(source),
    Descriptor: {
      mediaType: source.descriptor.mediaType,
      digest: source.descriptor.digest,
      size: source.descriptor.size,
    },
  };
}

/** moby/docker-image-spec `DockerOCIImageConfig`, every member left out when empty. */
export function imageConfig(config: ContainerConfig): InfoObject {
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

function healthcheck(check: Healthcheck): InfoObject {
  return {
    ...present('Test', check.Test),
    ...present('Interval', check.Interval),
    ...present('Timeout', check.Timeout),
    ...present('StartPeriod', check.StartPeriod),
    ...present('StartInterval', check.StartInterval),
    ...present('Retries', check.Retries),
  };
}
