import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { MNT_DETACH, O_PATH, umount } from '@boxwright/sys';
import { DEFAULT_HOSTNAME } from '../docker-defaults.ts';
import { requireMapped } from '../host-facts.ts';
import type { SandboxSpec } from '../spec.ts';
import { mountDevices } from './devices.ts';
import { at, isErrno, locate } from './locate.ts';
import { MountPoints } from './mount-points.ts';
import { hostsFile, resolvConf } from './network-files.ts';
import { mountOverlay } from './overlay.ts';
import type { Scratch } from './scratch.ts';
import { bindFile, inMountOrder, mountOne, removeThrowAways } from './user-mounts.ts';

/** A root file system, mounted in the calling thread's namespace: all but /proc, /sys and /dev/mqueue is in place. */
export interface PreparedRoot {
  readonly path: string;
  /** Of this run, in the scratch space. */
  readonly runDirectory: string;
  /** Descriptor of the root directory. */
  readonly descriptor: number;
  /** Unmounts everything, removes mount stubs, closes. Never throws twice for one cause: call it once. */
  dispose(): void;
}

/** The part of a spec that the root file system depends on. */
export type RootSpec = Omit<SandboxSpec, 'onOutput' | 'onStart' | 'signal'>;

/**
 * Mounts the layers of `spec`, /dev, and what the command shall see beside its files.
 *
 * @throws BoxwrightError `SANDBOX_USER_UNMAPPED`, `SANDBOX_ROOTFS_UNSAFE`, `SANDBOX_PATH_INVALID`, `SANDBOX_MOUNT_SOURCE`, `SANDBOX_OVERLAY_FAILED`
 */
export function prepareRoot(scratch: Scratch, spec: RootSpec, userXattrs: boolean): PreparedRoot {
  requireMapped(spec.user.uid, [spec.user.gid, ...spec.user.additionalGids]);
  const runDirectory = scratch.makeRunDirectory();
  const path = `${runDirectory}/root`;
  mkdirSync(path);
  setRootAttributes(spec);
  const upper = { upperDir: spec.upperDir, workDir: spec.workDir };
  try {
    mountOverlay(
      scratch,
      { lowerDirs: spec.lowerDirs, upper, target: path, helperDirectory: `${runDirectory}/h` },
      userXattrs,
    );
  } catch (error) {
    scratch.removeRunDirectory(runDirectory);
    throw error;
  }
  const descriptor = openSync(path, O_PATH | constants.O_DIRECTORY);
  const points = new MountPoints(descriptor);
  const dispose = (): void => {
    // Detached mounts are gone from all names at once but live as long as the descriptors: the stubs are bare now.
    umount(path, MNT_DETACH);
    points.removeStubs();
    points.close();
    closeSync(descriptor);
    for (const index of spec.mounts.keys()) unmountIfMounted(`${runDirectory}/m${index}`);
    if (existsSync(`${runDirectory}/h/bottom`)) unmountIfMounted(`${runDirectory}/h/bottom`);
    scratch.removeRunDirectory(runDirectory);
    if (spec.mounts.some((one) => one.kind === 'layers' && !one.readonly)) removeThrowAways(spec.workDir);
  };
  try {
    for (const name of ['proc', 'sys', 'dev']) makeKernelDirectory(descriptor, name);
    mountDevices(at(descriptor, 'dev'), spec.stdio === 'tty');
    mountNetworkFiles(points, runDirectory, spec);
    const setting = { scratch, points, runDirectory, workDir: spec.workDir, userXattrs };
    for (const [index, one] of inMountOrder(spec.mounts).entries()) mountOne(setting, one, index);
    makeWorkingDirectory(descriptor, spec);
  } catch (error) {
    dispose();
    throw error;
  }
  return { path, runDirectory, descriptor, dispose };
}

/** The upper directory lends `/` its owner and mode: those that containerd's snapshotter gives it. */
function setRootAttributes({ upperDir, lowerDirs }: RootSpec): void {
  const top = lowerDirs.at(-1);
  const { uid, gid } = top === undefined ? { uid: 0, gid: 0 } : statSync(top);
  chownSync(upperDir, uid, gid);
  chmodSync(upperDir, 0o755);
}

/**
 * /proc, /sys and /dev must be real directories, as mounting through a link has been the way out of more than one runtime
 * (threat B6). Missing ones are made and stay in the layer, as with BuildKit.
 */
function makeKernelDirectory(root: number, name: string): void {
  try {
    makeDirectory(at(root, name));
    return;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
  try {
    closeSync(openSync(at(root, name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  } catch (cause) {
    throw new BoxwrightError('SANDBOX_ROOTFS_UNSAFE', `/${name} of the image is not a directory`, {
      hint: 'A command cannot be run on this image. Replace the link or file with a directory in the base image.',
      cause,
      details: { path: `/${name}` },
    });
  }
}

function mountNetworkFiles(points: MountPoints, runDirectory: string, spec: RootSpec): void {
  const files = [
    ['resolv.conf', resolvConf()],
    ['hosts', hostsFile(spec.hostname ?? DEFAULT_HOSTNAME, spec.extraHosts ?? [])],
  ] as const;
  for (const [name, text] of files) {
    const path = `${runDirectory}/${name}`;
    writeFileSync(path, text, { flag: 'wx' });
    chmodSync(path, 0o644);
    bindFile(points, path, `/etc/${name}`);
  }
}

/** A RUN before may have removed the directory that WORKDIR made. It belongs to the user, as with BuildKit. */
function makeWorkingDirectory(root: number, spec: RootSpec): void {
  const located = locate(root, spec.cwd);
  if (located === undefined) return;
  const opened = [located.parent];
  try {
    if (located.stats !== undefined && !located.stats.isDirectory()) throw notADirectory(spec.cwd);
    let parent = located.parent;
    for (const name of located.missing) {
      makeDirectory(at(parent, name));
      chownSync(at(parent, name), spec.user.uid, spec.user.gid);
      parent = openSync(at(parent, name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      opened.push(parent);
    }
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** Mode 0755 whatever this process's umask is. */
function makeDirectory(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
}

function notADirectory(cwd: string): BoxwrightError {
  return new BoxwrightError(
    'SANDBOX_PATH_INVALID',
    `the working directory ${escapeForTerminal(cwd)} is not a directory`,
    {
      details: { path: cwd },
    },
  );
}

function unmountIfMounted(path: string): void {
  try {
    umount(path, MNT_DETACH);
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error;
  }
}
