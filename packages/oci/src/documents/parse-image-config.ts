import { type Digest, digestOf } from '../names/digest.ts';
import { hostPlatform, normalizePlatform, type Platform } from '../names/platform.ts';
import { checkedDigest, type Descriptor, readPlatform } from './descriptor.ts';
import type { Fields } from './fields.ts';
import {
  type ContainerConfig,
  emptyContainerConfig,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type RootFs,
} from './image-config.ts';
import { documentLimits } from './limits.ts';
import { readDocument } from './manifest.ts';

/** RFC 3339 section 5.6, with the upper-case T and Z that Go insists on. */
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads the config of an image. Of keys that stand twice the last counts, as in Docker.
 *
 * @param options.descriptor what named it: digest and size are compared
 * @throws BoxwrightError `DOCUMENT_INVALID`, `DOCUMENT_TOO_LARGE`, `BLOB_MISMATCH`
 */
export function parseImageConfig(
  bytes: Uint8Array,
  options: { readonly descriptor?: Descriptor | undefined } = {},
): ImageConfig {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = readDocument(raw, 'image config', documentLimits.configBytes, options.descriptor, 'last');
  const author = fields.optionalString('author') ?? '';
  return {
    ...readTime(fields),
    ...(author === '' ? {} : { author }),
    ...readPlatform(fields),
    config: readContainerConfig(fields.optionalObject('config')),
    rootfs: readRootFs(fields.object('rootfs')),
    history: fields.objects('history', documentLimits.historyEntries).map(readHistoryEntry),
    raw,
    json: fields.json,
  };
}

function readTime(fields: Fields): { created?: string } {
  const created = fields.optionalString('created') ?? '';
  if (created === '') return {};
  return timePattern.test(created) ? { created } : fields.fail('created', 'is not a time as RFC 3339 writes it');
}

function readContainerConfig(fields: Fields | undefined): ContainerConfig {
  if (fields === undefined) return emptyContainerConfig;
  const healthcheck = fields.optionalObject('Healthcheck');
  return {
    User: fields.optionalString('User') ?? '',
    Env: fields.strings('Env'),
    Cmd: readCommand(fields, 'Cmd'),
    Entrypoint: readCommand(fields, 'Entrypoint'),
    WorkingDir: fields.optionalString('WorkingDir') ?? '',
    Labels: fields.stringMap('Labels'),
    ExposedPorts: fields.keys('ExposedPorts'),
    Volumes: fields.keys('Volumes'),
    StopSignal: fields.optionalString('StopSignal') ?? '',
    Shell: readCommand(fields, 'Shell'),
    ...(healthcheck === undefined ? {} : { Healthcheck: readHealthcheck(healthcheck) }),
    OnBuild: fields.strings('OnBuild'),
    ArgsEscaped: fields.boolean('ArgsEscaped'),
  };
}

/** Docker's strslice: images of Docker before 1.0 have a plain string, which counts as one argument. */
function readCommand(fields: Fields, name: string): string[] {
  const value = fields.json.get(name);
  return typeof value === 'string' ? [value] : fields.strings(name);
}

function readHealthcheck(fields: Fields): Healthcheck {
  return {
    Test: readCommand(fields, 'Test'),
    Interval: fields.optionalInteger('Interval') ?? 0,
    Timeout: fields.optionalInteger('Timeout') ?? 0,
    StartPeriod: fields.optionalInteger('StartPeriod') ?? 0,
    StartInterval: fields.optionalInteger('StartInterval') ?? 0,
    Retries: fields.optionalInteger('Retries') ?? 0,
  };
}

/** OCI image-spec config.md "rootfs": any type but `layers` must be an error. */
function readRootFs(fields: Fields): RootFs {
  if (fields.string('type') !== 'layers') fields.fail('type', 'is not "layers"');
  const diffIds = fields.strings('diff_ids');
  if (diffIds.length > documentLimits.layers) fields.fail('diff_ids', `has more than ${documentLimits.layers} entries`);
  return { diffIds: diffIds.map((text, index) => checkedDigest(fields, `diff_ids[${index}]`, text)) };
}

function readHistoryEntry(fields: Fields): HistoryEntry {
  const createdBy = fields.optionalString('created_by') ?? '';
  const author = fields.optionalString('author') ?? '';
  const comment = fields.optionalString('comment') ?? '';
  return {
    ...readTime(fields),
    ...(createdBy === '' ? {} : { createdBy }),
    ...(author === '' ? {} : { author }),
    ...(comment === '' ? {} : { comment }),
    ...(fields.boolean('empty_layer') ? { emptyLayer: true } : {}),
  };
}

/** The platform that an image is for, normalised. What its config leaves out is taken from the host, as Docker does. */
export function platformOf(
  config: Pick<ImageConfig, 'os' | 'architecture' | 'variant' | 'osVersion' | 'osFeatures'>,
): Platform {
  const { os, architecture, variant, osVersion, osFeatures } = config;
  return normalizePlatform({
    os: os === '' ? 'linux' : os,
    architecture: architecture === '' ? hostPlatform().architecture : architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
    ...(osFeatures === undefined ? {} : { osFeatures }),
  });
}

/**
 * The chain ID of each layer: what a layer is called together with all below it. OCI image-spec config.md "Layer ChainID".
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const result: Digest[] = [];
  for (const diffId of diffIds) {
    const below = result.at(-1);
    result.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return result;
}
