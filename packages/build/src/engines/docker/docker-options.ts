import type { EngineClient } from '@boxwright/oci';
import type { OuterEngineOptions } from '../engine-options.ts';

/** What a Docker Engine takes beside what every engine takes; names after docker-py's, which Prefect hands on. */
export interface DockerOptions extends OuterEngineOptions {
  /** Default: the engine that `docker` would talk to. */
  readonly client?: EngineClient;
  /** Default `auto`: BuildKit where the engine prefers it and `DOCKER_BUILDKIT` is not 0. */
  readonly backend?: 'auto' | 'classic' | 'buildkit';
  /** Removes containers of steps after a successful build; default true. Classic builder only, as all below. */
  readonly rm?: boolean;
  /** Removes them after a failed one, too; default false. */
  readonly forcerm?: boolean;
  readonly squash?: boolean;
  /** Of Windows: `default`, `process`, `hyperv`. */
  readonly isolation?: string;
  readonly securityOpt?: readonly string[];
  readonly limits?: ContainerLimits;
}

/** What commands of a build may use (docker-py's `container_limits`). */
export interface ContainerLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Bytes of memory and swap; -1 for any. */
  readonly memswap?: number;
  readonly cpushares?: number;
  /** `0-2,4` */
  readonly cpusetcpus?: string;
  readonly cpuquota?: number;
  readonly cpuperiod?: number;
}
