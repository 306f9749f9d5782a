import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import {
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
  mount,
  O_PATH,
  openInRoot,
  SystemCallError,
} from '@boxwright/sys';
import { requireMapped } from '../host-facts.ts';
import type { SandboxMount } from '../spec.ts';
import { isErrno } from './locate.ts';
import type { MountPoints } from './mount-points.ts';
import { mountOverlay } from './overlay.ts';
import type { Scratch } from './scratch.ts';

/** What the mounts of one run need. */
export interface MountSetting {
  readonly scratch: Scratch;
  readonly points: MountPoints;
  /** Of this run, in the scratch space. */
  readonly runDirectory: string;
  /** Of the step, on disk: throw-away uppers go there. */
  readonly workDir: string;
  readonly userXattrs: boolean;
}

/** Makes one mount. Mount parents before what is inside them: {@link inMountOrder}. */
export function mountOne(setting: MountSetting, sandboxMount: SandboxMount, index: number): void {
  refuseKernelPaths(sandboxMount.target);
  switch (sandboxMount.kind) {
    case 'bind':
      return mountBind(setting, sandboxMount);
    case 'layers':
      return mountLayers(setting, sandboxMount, index);
    case 'tmpfs':
      return mountTmpfs(setting, sandboxMount);
    case 'secret':
      return mountSecret(setting, sandboxMount, index);
  }
}

/** Sorted by target, so that `/a` comes before `/a/b`. */
export function inMountOrder(mounts: readonly SandboxMount[]): SandboxMount[] {
  return mounts.toSorted((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
}

/** /proc and /sys come into being in the command's own process, later; runc refuses mounts there as well. */
function refuseKernelPaths(target: string): void {
  const normal = `/${target
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}/`;
  if (!normal.startsWith('/proc/') && !normal.startsWith('/sys/') && normal !== '/dev/') return;
  throw new BoxwrightError('SANDBOX_PATH_INVALID', `cannot mount at ${escapeForTerminal(target)}`, {
    hint: '/proc, /sys and /dev belong to the sandbox; mount somewhere else.',
    details: { target },
  });
}

function mountBind(setting: MountSetting, bind: SandboxMount & { kind: 'bind' }): void {
  const source = openSource(bind.path, () => openSync(bind.path, O_PATH | constants.O_NOFOLLOW));
  try {
    bindDescriptor(setting, source, bind.target, bind.readonly ? MS_RDONLY : 0);
  } finally {
    closeSync(source);
  }
}

function mountLayers(setting: MountSetting, layers: SandboxMount & { kind: 'layers' }, index: number): void {
  const target = `${setting.runDirectory}/m${index}`;
  mkdirSync(target);
  const overlay = { lowerDirs: layers.lowerDirs, target, helperDirectory: `${target}h` };
  mountOverlay(
    setting.scratch,
    layers.readonly ? overlay : { ...overlay, upper: throwAway(setting, index) },
    setting.userXattrs,
  );
  const root = openSync(target, O_PATH | constants.O_DIRECTORY);
  try {
    const source = openSource(layers.subpath, () => openInRoot(root, layers.subpath, O_PATH));
    try {
      bindDescriptor(setting, source, layers.target, layers.readonly ? MS_RDONLY : 0);
    } finally {
      closeSync(source);
    }
  } finally {
    closeSync(root);
  }
}

/** overlayfs looks at nothing but `work` and `index` in its work directory: what else is in there does not disturb it. */
function throwAway({ workDir }: MountSetting, index: number): { upperDir: string; workDir: string } {
  const base = throwAwayDirectory(workDir);
  const upper = { upperDir: `${base}/${index}/upper`, workDir: `${base}/${index}/work` };
  mkdirSync(upper.upperDir, { recursive: true });
  mkdirSync(upper.workDir);
  return upper;
}

function throwAwayDirectory(workDir: string): string {
  return `${workDir}/throw-away`;
}

/** Removes what was written to mounts that keep nothing. */
export function removeThrowAways(workDir: string): void {
  rmSync(throwAwayDirectory(workDir), { recursive: true, force: true });
}

/** It takes the mode of the directory that it hides, as runc does, and belongs to root. */
function mountTmpfs({ points }: MountSetting, tmpfs: SandboxMount & { kind: 'tmpfs' }): void {
  const target = points.ensure(tmpfs.target, 'directory');
  const mode = points.made(target) ? 0o1777 : lstatSync(target).mode & 0o7777;
  const size = tmpfs.sizeBytes === undefined ? '' : `,size=${Math.max(1, Math.trunc(tmpfs.sizeBytes))}`;
  mount('tmpfs', target, 'tmpfs', MS_NOSUID | MS_NODEV, `mode=${mode.toString(8)}${size}`);
}

function mountSecret(setting: MountSetting, secret: SandboxMount & { kind: 'secret' }, index: number): void {
  const path = `${setting.runDirectory}/s${index}`;
  requireMapped(secret.uid, [secret.gid]);
  writeFileSync(path, secret.data, { mode: 0o600, flag: 'wx' });
  chownSync(path, secret.uid, secret.gid);
  chmodSync(path, secret.mode & 0o7777);
  // Scripts of heredocs come this way too.
  bindFile(setting.points, path, secret.target, (secret.mode & 0o111) === 0 ? MS_NOEXEC : 0);
}

/** Binds a file of the scratch space read-only, as BuildKit does with secrets and /etc/hosts. */
export function bindFile(points: MountPoints, path: string, target: string, flags: number = MS_NOEXEC): void {
  bind(path, points.ensure(target, 'file'), MS_RDONLY | MS_NOSUID | flags);
}

function bindDescriptor({ points }: MountSetting, source: number, target: string, flags: number): void {
  const kind = fstatSync(source).isDirectory() ? 'directory' : 'file';
  bind(`/proc/self/fd/${source}`, points.ensure(target, kind), flags);
}

/** A bind mount takes its flags with a second call; in a user namespace that one must repeat what the host locked. */
function bind(source: string, target: string, flags: number): void {
  mount(source, target, null, MS_BIND);
  const wanted = MS_REMOUNT | MS_BIND | MS_NODEV | flags;
  const locked = [0, MS_NOSUID, MS_NOEXEC, MS_NOSUID | MS_NOEXEC, MS_NOATIME, MS_NOATIME | MS_NOSUID | MS_NOEXEC];
  for (const extra of locked) {
    try {
      return mount('none', target, null, wanted | extra);
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== 'EPERM' || extra === locked.at(-1)) throw error;
    }
  }
}

function openSource(path: string, open: () => number): number {
  let source: number;
  try {
    source = open();
  } catch (cause) {
    throw sourceInvalid(path, isErrno(cause, 'ENOENT') ? 'it does not exist' : 'it cannot be opened', cause);
  }
  const stats = fstatSync(source);
  if (stats.isDirectory() || stats.isFile()) return source;
  closeSync(source);
  throw sourceInvalid(path, stats.isSymbolicLink() ? 'it is a symbolic link' : 'it is neither a file nor a directory');
}

function sourceInvalid(path: string, why: string, cause?: unknown): BoxwrightError {
  return new BoxwrightError('SANDBOX_MOUNT_SOURCE', `cannot mount ${escapeForTerminal(path)}: ${why}`, {
    cause,
    details: { path },
  });
}
