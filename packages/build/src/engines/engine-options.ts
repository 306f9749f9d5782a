import type { CredentialStore } from '@boxwright/oci';
import type { RetryPolicy } from './retry.ts';

/** What engines outside of this process need beside the request. */
export interface OuterEngineOptions {
  /** Environment: `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, secrets by variable, `SSH_AUTH_SOCK`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home directory of the user. */
  readonly home: string;
  /**
   * What registries are shown, for bases and pushes, in place of what is stored for this user; it stays in this process.
   * Only buildx also finds what is stored for registries that this has nothing for.
   */
  readonly credentials?: CredentialStore;
  /** Images to take steps from: `type=registry,ref=…` or a name (`--cache-from`). */
  readonly cacheFrom?: readonly string[];
  /** `default`, or `ID=SOCKET` (`--ssh`). */
  readonly ssh?: readonly string[];
  /** Bytes of /dev/shm of commands. */
  readonly shmSize?: number;
  /** `nofile=1024:2048` (`--ulimit`). */
  readonly ulimits?: readonly string[];
  /** Control group that commands run below. */
  readonly cgroupParent?: string;
  /** Default: three more tries after 2, 4 and 8 seconds, for failures that may pass. */
  readonly retry?: Omit<RetryPolicy, 'signal'>;
}
