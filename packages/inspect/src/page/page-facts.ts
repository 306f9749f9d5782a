import type { ImageConfig } from '@boxwright/oci';
import { commentOf, stringMember } from '../info/parts.ts';
import type { NameValue } from '../instructions/instruction.ts';
import { formatSize } from '../size.ts';
import type { PageFacts, PageSize, PageTime } from './page.ts';
import type { PageSource } from './page-source.ts';
import { localTime, type TimeZone } from './time-zone.ts';

/** The facts of a page. */
export function pageFacts(source: PageSource, size: number | undefined, zone: TimeZone): PageFacts {
  const { config, manifest } = source;
  const settings = config.config;
  const transferSize = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  return {
    id: manifest.config.digest,
    digest: source.digest,
    mediaType: manifest.mediaType,
    names: source.repoTags,
    digests: source.repoDigests,
    platform: platformText(config),
    ...text('osVersion', config.osVersion),
    ...pageTime(config.created, zone),
    ...text('author', config.author),
    ...text('comment', commentOf(config)),
    ...text('dockerVersion', stringMember(config, 'docker_version')),
    ...pageSize(size),
    layers: config.rootfs.diffIds.length,
    transferSize,
    transferSizeText: formatSize(transferSize),
    ...text('user', settings.User),
    ...text('workingDirectory', settings.WorkingDir),
    entrypoint: settings.Entrypoint,
    command: settings.Cmd,
    shell: settings.Shell,
    environment: settings.Env.map(nameValue),
    labels: [...settings.Labels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value })),
    exposedPorts: settings.ExposedPorts,
    volumes: settings.Volumes,
    onBuild: settings.OnBuild,
    ...text('stopSignal', settings.StopSignal),
    ...(settings.Healthcheck === undefined ? {} : { healthcheck: settings.Healthcheck }),
  };
}

/** A time as stored and in the page's zone. */
export function pageTime(created: string | undefined, zone: TimeZone): PageTime {
  if (created === undefined) return {};
  const local = localTime(created, zone);
  return { created, ...(local === undefined ? {} : { localTime: local }) };
}

/** A size with its text. */
export function pageSize(size: number | undefined): PageSize {
  return size === undefined ? {} : { size, sizeText: formatSize(size) };
}

/** A member that is there only with a value. */
export function text<Name extends string>(name: Name, value: string | undefined): { readonly [Key in Name]?: string } {
  if (value === undefined || value === '') return {};
  // A computed key makes an object of any string key; this one is Name.
  return { [name]: value } as { readonly [Key in Name]: string };
}

/** What the config says, without what a host would fill in. */
function platformText({ os, architecture, variant }: ImageConfig): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
}

function nameValue(variable: string): NameValue {
  const equals = variable.indexOf('=');
  return equals < 0 ? { name: variable } : { name: variable.slice(0, equals), value: variable.slice(equals + 1) };
}
