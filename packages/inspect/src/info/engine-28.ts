import { imageConfig } from './engine-29.ts';
import { goTime, present } from './go-values.ts';
import type { DockerInspectSource, InfoObject } from './info-source.ts';
import { commentOf, metadata, noGraphDriver, rootFs, stringMember } from './parts.ts';

/** Members of `Config` that are there also when they are empty. */
const alwaysThere: InfoObject = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
};

/**
 * Docker 28.3 to 28.5, Engine API 1.50 and 1.51: `Config` is put together from two sources there, so that it and what is
 * in it are sorted, and it comes last. `Parent` is known to a host only.
 */
export function inspectOfDocker28(source: DockerInspectSource): InfoObject {
  const { config } = source;
  return {
    Id: source.id,
    RepoTags: source.repoTags,
    RepoDigests: source.repoDigests,
    Parent: '',
    Comment: commentOf(config),
    ...present('Created', config.created === undefined ? undefined : goTime(config.created)),
    DockerVersion: stringMember(config, 'docker_version'),
    Author: config.author ?? '',
    Architecture: config.architecture,
    ...present('Variant', config.variant),
    Os: config.os,
    ...present('OsVersion', config.osVersion),
    ...(source.size === undefined ? {} : { Size: source.size }),
    GraphDriver: noGraphDriver,
    RootFS: rootFs(config),
    Metadata: metadata(source),
    Config: sorted({ ...alwaysThere, ...imageConfig(config.config) }),
  };
}

/** The names are those of the tables above, none from outside, but for maps, which are sorted already. */
function sorted(object: InfoObject): InfoObject {
  const { Healthcheck: check, ...rest } = object;
  const members = isInfoObject(check) ? { ...rest, Healthcheck: byName(check) } : rest;
  return byName(members);
}

function byName(object: InfoObject): InfoObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isInfoObject(value: unknown): value is InfoObject {
  return typeof value === 'object' && value !== null;
}
