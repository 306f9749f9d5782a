import { posix } from 'node:path';
import type { RunInstruction, RunMount } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import type { FileSource, RunMountPlan } from './operation.ts';

const DEFAULT_CACHE_MODE = 0o755;
const DEFAULT_SECRET_MODE = 0o400;

/** The `--mount` flags of a RUN with their defaults filled in and paths made absolute (BuildKit `dispatchRunMounts`). */
export function runMounts(
  instruction: RunInstruction,
  workingDir: string,
  resolveSource: (name: string) => FileSource,
): readonly RunMountPlan[] {
  return instruction.mounts.map((mount) => runMount(mount, workingDir, resolveSource));
}

function runMount(mount: RunMount, workingDir: string, resolveSource: (name: string) => FileSource): RunMountPlan {
  switch (mount.type) {
    case 'bind':
      return {
        type: 'bind',
        from: mount.from === undefined ? { kind: 'context' } : resolveSource(mount.from),
        source: posix.resolve('/', mount.source ?? ''),
        target: mountTarget(mount, workingDir),
        readonly: mount.readonly,
      };
    case 'cache': {
      const target = mountTarget(mount, workingDir);
      return {
        type: 'cache',
        id: mount.id ?? posix.normalize(mount.target ?? target),
        sharing: mount.sharing ?? 'shared',
        from: mount.from === undefined ? undefined : resolveSource(mount.from),
        source: posix.resolve('/', mount.source ?? ''),
        target,
        readonly: mount.readonly,
        mode: mount.mode ?? DEFAULT_CACHE_MODE,
        uid: mount.uid ?? 0,
        gid: mount.gid ?? 0,
      };
    }
    case 'tmpfs':
      return { type: 'tmpfs', target: mountTarget(mount, workingDir), sizeBytes: mount.size };
    case 'secret':
      return secretMount(mount, workingDir);
    case 'ssh':
      throw new BoxwrightError('DOCKERFILE_UNSUPPORTED', 'RUN --mount=type=ssh is not supported yet', {
        hint: 'use a secret mount for the key: --mount=type=secret,id=key',
      });
    default:
      return mount.type satisfies never;
  }
}

/** BuildKit: the id defaults to the target's last component; with `env=` no file is made unless a target is given. */
function secretMount(mount: RunMount, workingDir: string): RunMountPlan {
  const id = mount.id ?? (mount.target === undefined ? undefined : posix.basename(mount.target));
  if (id === undefined || id === '') {
    throw new BoxwrightError('DOCKERFILE_MOUNT', 'RUN --mount=type=secret names no secret', { hint: 'add id=NAME' });
  }
  const asFile = mount.target !== undefined || mount.env === undefined;
  return {
    type: 'secret',
    id,
    target: asFile ? posix.resolve('/', workingDir, mount.target ?? `/run/secrets/${posix.basename(id)}`) : undefined,
    env: mount.env,
    required: mount.required ?? false,
    mode: mount.mode ?? DEFAULT_SECRET_MODE,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
  };
}

function mountTarget(mount: RunMount, workingDir: string): string {
  const target = posix.resolve('/', workingDir, mount.target ?? '');
  if (target === '/' || mount.target === undefined) {
    throw new BoxwrightError(
      'DOCKERFILE_MOUNT',
      `RUN --mount=type=${mount.type}: invalid mount target "${mount.target ?? ''}"`,
      {
        hint: 'give target=PATH, something below /',
      },
    );
  }
  return target;
}
