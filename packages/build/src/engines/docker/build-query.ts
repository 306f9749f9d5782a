import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { formatPlatform } from '@boxwright/oci';
import type { BuildRequest } from '../../engine/engine.ts';
import type { DockerOptions } from './docker-options.ts';

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a builder of the Engine API cannot be told. @throws BoxwrightError ENGINE_UNSUPPORTED */
export function refuseUnsupported(
  request: BuildRequest,
  options: DockerOptions,
  builder: 'classic' | 'buildkit',
): void {
  const asked: readonly (readonly [string, boolean])[] = [
    ['build contexts', request.namedContexts.size > 0],
    ['annotations', (request.annotations?.size ?? 0) > 0],
    ['stages without cache', request.noCache !== false && request.noCache !== true],
  ];
  const needsBuildKit: readonly (readonly [string, boolean])[] = [
    ['secrets', request.secrets.length > 0],
    ['ssh', (options.ssh ?? []).length > 0],
  ];
  const [what] = asked.find(([, isAsked]) => isAsked) ?? [];
  if (what !== undefined) {
    throw new BoxwrightError('ENGINE_UNSUPPORTED', `the API of the Docker Engine takes no ${what}`, {
      hint: 'build with the engine buildx or embedded',
    });
  }
  const [lacking] = builder === 'classic' ? (needsBuildKit.find(([, isAsked]) => isAsked) ?? []) : [];
  if (lacking !== undefined) {
    throw new BoxwrightError('ENGINE_UNSUPPORTED', `the classic builder of the Docker Engine knows no ${lacking}`, {
      hint: 'build with BuildKit: the engine buildx, or a Docker Engine that has it',
    });
  }
}

/** Parameters of `POST /build` that both builders take. @param dockerfile path inside of what is sent */
export function buildQuery(request: BuildRequest, options: DockerOptions, dockerfile: string): Query {
  const { limits = {} } = options;
  return {
    dockerfile,
    t: request.tags,
    target: request.target,
    platform: request.platform === undefined ? undefined : formatPlatform(request.platform),
    buildargs: json(request.buildArgs),
    labels: json(request.labels),
    nocache: flag(request.noCache === true),
    pull: flag(request.pull === true),
    networkmode: request.network === 'default' ? undefined : request.network,
    extrahosts: request.extraHosts.map(({ host, address }) => `${host}:${address}`),
    cachefrom: (options.cacheFrom ?? []).length === 0 ? undefined : JSON.stringify(options.cacheFrom?.map(cacheName)),
    shmsize: options.shmSize?.toString(),
    ulimits: (options.ulimits ?? []).length === 0 ? undefined : JSON.stringify(options.ulimits?.map(ulimit)),
    cgroupparent: options.cgroupParent,
    rm: flag(options.rm ?? true),
    forcerm: flag(options.forcerm ?? false),
    squash: flag(options.squash ?? false),
    isolation: options.isolation,
    securityopt: options.securityOpt,
    memory: limits.memory?.toString(),
    memswap: limits.memswap?.toString(),
    cpushares: limits.cpushares?.toString(),
    cpusetcpus: limits.cpusetcpus,
    cpuquota: limits.cpuquota?.toString(),
    cpuperiod: limits.cpuperiod?.toString(),
  };
}

/** The API knows images as caches only, and by their names. @throws BoxwrightError ENGINE_UNSUPPORTED */
function cacheName(source: string): string {
  if (!source.includes('=')) return source;
  const fields = new Map(source.split(',').map((field) => splitPair(field)));
  const reference = fields.get('ref');
  if (fields.get('type') === 'registry' && reference !== undefined) return reference;
  throw new BoxwrightError(
    'ENGINE_UNSUPPORTED',
    `the API of the Docker Engine takes steps from images only, not from ${escapeForTerminal(source)}`,
    { hint: 'write --cache-from NAME or type=registry,ref=NAME, or build with the engine buildx' },
  );
}

function splitPair(field: string): [key: string, value: string] {
  const at = field.indexOf('=');
  return [field.slice(0, at), field.slice(at + 1)];
}

function json(values: ReadonlyMap<string, string>): string | undefined {
  return values.size === 0 ? undefined : JSON.stringify(Object.fromEntries(values));
}

function flag(value: boolean): string {
  return value ? '1' : '0';
}

/** `NAME=SOFT[:HARD]`, as Docker's flag is written. @throws BoxwrightError ENGINE_UNSUPPORTED */
function ulimit(text: string): unknown {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name !== undefined) return { Name: name, Soft: Number(soft), Hard: Number(hard ?? soft) };
  throw new BoxwrightError('ENGINE_UNSUPPORTED', `"${text}" is no limit of resources`, {
    hint: 'write NAME=SOFT:HARD, for example nofile=1024:2048',
  });
}
