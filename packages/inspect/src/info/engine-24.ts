import { isJsonObject, type JsonObject, type JsonValue } from '@boxwright/oci';
import { goTime, isEmptyValue, present, rawValue, zeroTime } from './go-values.ts';
import type { DockerInspectSource, InfoObject } from './info-source.ts';
import { commentOf, metadata, noGraphDriver, rootFs, stringMember } from './parts.ts';

/**
 * Docker 24, and the pages of mirror sites: `Container` and `ContainerConfig` are there (a classic builder or a commit
 * filled them), `Config` has the host's part, and `VirtualSize`, gone since Engine API 1.44, is not. `Parent` is known to
 * a host only.
 */
export function inspectOfDocker24(source: DockerInspectSource): InfoObject {
  const { config } = source;
  const containerConfig = objectMember(config.json.get('container_config'));
  return {
    Id: source.id,
    RepoTags: source.repoTags,
    RepoDigests: source.repoDigests,
    Parent: '',
    Comment: commentOf(config),
    Created: config.created === undefined ? zeroTime : goTime(config.created),
    Container: stringMember(config, 'container'),
    ContainerConfig: containerConfig === undefined ? null : legacyConfig(containerConfig),
    DockerVersion: stringMember(config, 'docker_version'),
    Author: config.author ?? '',
    Config: legacyConfig(objectMember(config.json.get('config'))),
    Architecture: config.architecture,
    ...present('Variant', config.variant),
    Os: config.os,
    ...present('OsVersion', config.osVersion),
    ...(source.size === undefined ? {} : { Size: source.size }),
    GraphDriver: noGraphDriver,
    RootFS: rootFs(config),
    Metadata: metadata(source),
  };
}

/** How a member of Go's `container.Config` is printed when the document does not have it. */
type Empty = '' | false | null | 'omitted';

/** moby api/types/container `Config`, in its order. */
const members: readonly (readonly [name: string, empty: Empty])[] = [
  ['Hostname', ''],
  ['Domainname', ''],
  ['User', ''],
  ['AttachStdin', false],
  ['AttachStdout', false],
  ['AttachStderr', false],
  ['ExposedPorts', 'omitted'],
  ['Tty', false],
  ['OpenStdin', false],
  ['StdinOnce', false],
  ['Env', null],
  ['Cmd', null],
  ['Healthcheck', 'omitted'],
  ['ArgsEscaped', 'omitted'],
  ['Image', ''],
  ['Volumes', null],
  ['WorkingDir', ''],
  ['Entrypoint', null],
  ['NetworkDisabled', 'omitted'],
  ['MacAddress', 'omitted'],
  ['OnBuild', null],
  ['Labels', null],
  ['StopSignal', 'omitted'],
  ['StopTimeout', 'omitted'],
  ['Shell', 'omitted'],
];

const healthcheckMembers: readonly string[] = [
  'Test',
  'Interval',
  'Timeout',
  'StartPeriod',
  'StartInterval',
  'Retries',
];

/** From the document rather than from the parsed config: an empty list and an absent one are printed differently. */
function legacyConfig(json: JsonObject | undefined): InfoObject {
  const result: InfoObject = {};
  for (const [name, empty] of members) {
    const value = name === 'Healthcheck' ? healthcheck(json?.get(name)) : listOf(name, rawValue(json, name));
    if (empty !== 'omitted') result[name] = value ?? empty;
    // A pointer in Go: printed, as {}, also when nothing is in it.
    else if (name === 'Healthcheck' ? value !== undefined : !isEmptyValue(value)) result[name] = value;
  }
  return result;
}

/** Images of Docker before 1.0 have a plain string for a command. */
function listOf(name: string, value: unknown): unknown {
  return typeof value === 'string' && (name === 'Cmd' || name === 'Entrypoint' || name === 'Shell') ? [value] : value;
}

function healthcheck(value: JsonValue | undefined): InfoObject | undefined {
  const json = objectMember(value);
  if (json === undefined) return undefined;
  return Object.assign({}, ...healthcheckMembers.map((name) => present(name, rawValue(json, name) ?? undefined)));
}

function objectMember(value: JsonValue | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}
