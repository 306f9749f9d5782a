import { DEFAULT_HOSTNAME, defaultCapabilities, maskedPaths, readonlyPaths } from '../docker-defaults.ts';
import type { RootSpec } from '../root/prepare.ts';
import { allowedSeccompArchitectures, denyingSeccomp } from '../seccomp/profile.ts';

/** What the runtime's config.json depends on beside the spec. */
export interface RuntimeConfigInput {
  readonly spec: RootSpec;
  /** Absolute path of the mounted root file system. */
  readonly root: string;
  readonly env: readonly string[];
  readonly userNamespace: boolean;
  readonly mayChangeGroups: boolean;
  /** False when the runtime was built without libseccomp. */
  readonly seccomp: boolean;
}

/**
 * The config.json for an OCI runtime (https://github.com/opencontainers/runtime-spec/blob/main/config.md). Layers, /dev and
 * the mounts of the step are in place already and come along with the root file system, so the runtime mounts only what
 * must be mounted from inside its namespaces. There are no annotations and no hooks: nothing of the image reaches
 * the runtime but command, environment and user (threat D8).
 */
export function runtimeConfig({
  spec,
  root,
  env,
  userNamespace,
  mayChangeGroups,
  seccomp,
}: RuntimeConfigInput): Readonly<Record<string, unknown>> {
  const capabilities = Object.keys(defaultCapabilities);
  const { uid, gid, additionalGids } = spec.user;
  return {
    ociVersion: '1.0.2',
    root: { path: root, readonly: false },
    hostname: spec.hostname ?? DEFAULT_HOSTNAME,
    process: {
      terminal: spec.stdio === 'tty',
      args: spec.args,
      env,
      cwd: spec.cwd,
      user: {
        uid,
        gid,
        umask: 0o022,
        ...(mayChangeGroups ? { additionalGids: [...new Set([gid, ...additionalGids])] } : {}),
      },
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: false,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      // Bound onto itself: a runtime leaves a bound /dev as it is.
      { destination: '/dev', type: 'bind', source: `${root}/dev`, options: ['rbind', 'nosuid', 'nodev'] },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      userNamespace
        ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] }
        : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    ],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', ...(spec.network === 'none' ? ['network'] : [])].map((type) => ({
        type,
      })),
      maskedPaths,
      readonlyPaths,
      ...(seccomp && allowedSeccompArchitectures() !== undefined ? { seccomp: denyingSeccomp() } : {}),
    },
  };
}
