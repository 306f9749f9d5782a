import { BoxwrightError } from '@boxwright/errors';
import {
  type ContainerConfig,
  emptyContainerConfig,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type RootFs,
} from './image-config.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { goJson, sortedObject } from './json-writer.ts';

/** What {@link buildImageConfig} makes a config of. A field left out keeps the base's value; `''` and `[]` remove it. */
export interface ImageConfigChanges {
  readonly base?: ImageConfig | undefined;
  /**
   * What becomes of members of the base that {@link ImageConfig} has no field for: `keep` (the default), or `drop`, as
   * BuildKit does to the base image of a build (`docker_version`, `container_config`, `config.Hostname`...).
   */
  readonly unknownFields?: 'keep' | 'drop' | undefined;
  readonly architecture?: string | undefined;
  readonly os?: string | undefined;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[] | undefined;
  readonly author?: string | undefined;
  /** RFC 3339. When left out but `history` is given: the time of its last timed entry, BuildKit's rule. */
  readonly created?: string | undefined;
  /** Members of `config` to exchange; `Healthcheck: undefined` removes it. */
  readonly config?: { readonly [K in keyof ContainerConfig]?: ContainerConfig[K] | undefined } | undefined;
  readonly rootfs?: RootFs | undefined;
  readonly history?: readonly HistoryEntry[] | undefined;
}

/** Members that describe the layers of the base: wrong as soon as the layers change. */
const layerBoundMembers: readonly string[] = [
  'moby.buildkit.cache.v0',
  'moby.buildkit.buildinfo.v0',
  'moby.buildkit.buildinfo.v1',
];

/**
 * Writes an image config with the bytes that BuildKit would give it: top-level members sorted, `config` in the order of
 * the Go type, empty members left out, Go's escapes (moby/buildkit exporter/containerimage/writer.go `patchImageConfig`).
 *
 * @throws BoxwrightError `CONFIG_INCOMPLETE` without `os` or `architecture`
 */
export function buildImageConfig(changes: ImageConfigChanges): Buffer {
  const { base } = changes;
  const keep = changes.unknownFields !== 'drop';
  const members = new Map<string, JsonValue>(keep && base !== undefined ? base.json : []);
  if (changes.rootfs !== undefined) for (const name of layerBoundMembers) members.delete(name);

  const set = (name: string, value: JsonValue | undefined): void => {
    if (isEmpty(value)) members.delete(name);
    else if (value !== undefined) members.set(name, value);
  };
  set('architecture', changes.architecture ?? base?.architecture);
  set('os', changes.os ?? base?.os);
  if (!members.has('os') || !members.has('architecture')) {
    throw new BoxwrightError('CONFIG_INCOMPLETE', 'an image config needs both an operating system and an architecture');
  }
  set('variant', changes.variant ?? base?.variant ?? '');
  set('os.version', changes.osVersion ?? base?.osVersion ?? '');
  set('os.features', changes.osFeatures ?? base?.osFeatures ?? []);
  set('author', changes.author ?? base?.author ?? '');

  const config: ContainerConfig = { ...(base?.config ?? emptyContainerConfig), ...definedConfig(changes.config) };
  members.set('config', containerConfigJson(config, keep ? base?.json.get('config') : undefined));
  const diffIds = changes.rootfs?.diffIds ?? base?.rootfs.diffIds ?? [];
  members.set(
    'rootfs',
    new Map<string, JsonValue>([
      ['type', 'layers'],
      ['diff_ids', diffIds],
    ]),
  );
  const history = changes.history ?? base?.history ?? [];
  members.set('history', history.map(historyJson));
  const created = changes.created ?? (changes.history === undefined ? base?.created : undefined) ?? lastTime(history);
  members.set('created', created === undefined || created === '' ? null : created);
  return Buffer.from(goJson(sortedObject(members)));
}

/** `undefined` keeps the base's value, except for the health check, which has no other empty value. */
function definedConfig(config: ImageConfigChanges['config']): Partial<ContainerConfig> {
  const entries = Object.entries(config ?? {});
  // Object.entries forgets which value belongs to which key; nothing but undefined values is taken away here.
  return Object.fromEntries(
    entries.filter(([key, value]) => value !== undefined || key === 'Healthcheck'),
  ) as Partial<ContainerConfig>;
}

function lastTime(history: readonly HistoryEntry[]): string | undefined {
  return history.findLast((entry) => entry.created !== undefined)?.created;
}

/** Go's `omitempty`. */
function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === '' || value === false || value === 0) return true;
  if (isJsonObject(value)) return value.size === 0;
  return Array.isArray(value) && value.length === 0;
}

function compact(members: readonly (readonly [string, JsonValue | undefined])[]): Map<string, JsonValue> {
  const result = new Map<string, JsonValue>();
  for (const [name, value] of members) {
    if (value !== undefined && !isEmpty(value)) result.set(name, value);
  }
  return result;
}

/** Member order of moby/docker-image-spec `DockerOCIImageConfig`; members of the base that it lacks come last. */
function containerConfigJson(config: ContainerConfig, base: JsonValue | undefined): JsonObject {
  const members = compact([
    ['User', config.User],
    ['ExposedPorts', setJson(config.ExposedPorts)],
    ['Env', config.Env],
    ['Entrypoint', config.Entrypoint],
    ['Cmd', config.Cmd],
    ['Volumes', setJson(config.Volumes)],
    ['WorkingDir', config.WorkingDir],
    ['Labels', sortedObject(config.Labels)],
    ['StopSignal', config.StopSignal],
    ['ArgsEscaped', config.ArgsEscaped],
  ]);
  // A pointer in Go: written, as {}, also when nothing is in it.
  if (config.Healthcheck !== undefined) members.set('Healthcheck', healthcheckJson(config.Healthcheck));
  for (const [name, value] of compact([
    ['OnBuild', config.OnBuild],
    ['Shell', config.Shell],
  ]))
    members.set(name, value);
  if (isJsonObject(base)) {
    for (const [name, value] of base) {
      if (!(name in knownConfigMembers)) members.set(name, value);
    }
  }
  return members;
}

/** Typed so that a new field of ContainerConfig does not compile until it is listed. */
const knownConfigMembers: Readonly<Record<keyof ContainerConfig, true>> = Object.assign(Object.create(null), {
  User: true,
  Env: true,
  Cmd: true,
  Entrypoint: true,
  WorkingDir: true,
  Labels: true,
  ExposedPorts: true,
  Volumes: true,
  StopSignal: true,
  Shell: true,
  Healthcheck: true,
  OnBuild: true,
  ArgsEscaped: true,
} satisfies Record<keyof ContainerConfig, true>);

function setJson(keys: readonly string[]): JsonObject {
  return sortedObject(keys.map((key) => [key, new Map()]));
}

function healthcheckJson(healthcheck: Healthcheck): JsonObject {
  return compact([
    ['Test', healthcheck.Test],
    ['Interval', healthcheck.Interval],
    ['Timeout', healthcheck.Timeout],
    ['StartPeriod', healthcheck.StartPeriod],
    ['StartInterval', healthcheck.StartInterval],
    ['Retries', healthcheck.Retries],
  ]);
}

function historyJson(entry: HistoryEntry): JsonObject {
  return compact([
    ['created', entry.created],
    ['created_by', entry.createdBy],
    ['author', entry.author],
    ['comment', entry.comment],
    ['empty_layer', entry.emptyLayer],
  ]);
}
