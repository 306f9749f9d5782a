import { mkdirSync, symlinkSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { MS_NODEV, MS_RDONLY, mount, SystemCallError } from '@boxwright/sys';
import type { Scratch } from './scratch.ts';

/** The kernel's OVL_MAX_STACK. */
const MAX_LAYERS = 500;
/** The kernel reads the options from one page of memory, whose last byte ends the text. */
const MAX_OPTIONS = 4095;

/** A stack of directories to show as one. */
export interface OverlayMount {
  /** Base first. */
  readonly lowerDirs: readonly string[];
  /** Without them the mount is read-only. */
  readonly upper?: { readonly upperDir: string; readonly workDir: string };
  readonly target: string;
  /** Does not exist yet; made in the scratch space, for the mount's helpers. */
  readonly helperDirectory: string;
}

/** False once the kernel (before 5.10) or the file system refused `volatile`. */
let volatileWorks = true;

/**
 * Mounts an overlay. The features that tie a layer to its neighbours, the kernel or the disk (index, redirect_dir, metacopy)
 * are off, so that the upper directory is a plain layer and marks in it that steer overlayfs are not followed
 * (threat U6). `volatile`: nothing is synced to disk, because a snapshot that a power cut hits is built again. `nodev`:
 * without a device cgroup this is what keeps a command with CAP_MKNOD from the host's disks; it can still make
 * device nodes, as in Docker.
 *
 * @param userXattrs true in a user namespace, where the marks are `user.overlay.*` (Linux 5.11)
 * @throws BoxwrightError `SANDBOX_OVERLAY_FAILED`
 */
export function mountOverlay(scratch: Scratch, overlay: OverlayMount, userXattrs: boolean): void {
  mkdirSync(overlay.helperDirectory);
  const names = [...scratch.shortNames(overlay.lowerDirs.toReversed())];
  // A stack without an upper directory must have two.
  if (names.length < (overlay.upper === undefined ? 2 : 1)) names.push(makeHelper(overlay, 'empty'));
  const features = `index=off,redirect_dir=nofollow,metacopy=off${userXattrs ? ',userxattr' : ''}`;
  const options = `${upperOptions(overlay)}${features},lowerdir=`;
  const lower = foldBottom(names, MAX_OPTIONS - options.length - ',volatile'.length, (bottom) => {
    const folded = makeHelper(overlay, 'bottom');
    mountOptions(overlay, folded, MS_NODEV | MS_RDONLY, `${features},lowerdir=${bottom.join(':')}`);
    return folded;
  });
  const text = options + lower.join(':');
  if (overlay.upper === undefined) mountOptions(overlay, overlay.target, MS_NODEV | MS_RDONLY, text);
  else if (!tryVolatile(overlay.target, text)) mountOptions(overlay, overlay.target, MS_NODEV, text);
}

function upperOptions({ upper, helperDirectory }: OverlayMount): string {
  if (upper === undefined) return '';
  // Links, because overlayfs takes commas and colons in the names for its own.
  symlinkSync(upper.upperDir, `${helperDirectory}/u`);
  symlinkSync(upper.workDir, `${helperDirectory}/w`);
  return `upperdir=${helperDirectory}/u,workdir=${helperDirectory}/w,`;
}

function makeHelper({ helperDirectory }: OverlayMount, name: string): string {
  const directory = `${helperDirectory}/${name}`;
  mkdirSync(directory, 0o755);
  return directory;
}

/**
 * Keeps the names (top first) within what one mount takes: those at the bottom that are too many become one read-only
 * overlay of their own. Below them there is nothing that their whiteouts could matter to, so the view stays the same.
 * The kernel stacks overlays two high, so that this ends at some 680 layers.
 */
function foldBottom(
  names: readonly string[],
  space: number,
  fold: (bottom: readonly string[]) => string,
): readonly string[] {
  if (names.length <= MAX_LAYERS && names.join(':').length <= space) return names;
  const reserve = 64; // for the name of the folded ones
  let length = 0;
  const kept = names.slice(0, MAX_LAYERS - 1).filter((name) => {
    length += name.length + 1;
    return length <= space - reserve;
  });
  return [...kept, fold(names.slice(kept.length))];
}

function tryVolatile(target: string, options: string): boolean {
  if (!volatileWorks) return false;
  try {
    mount('overlay', target, 'overlay', MS_NODEV, `${options},volatile`);
    return true;
  } catch {
    volatileWorks = false;
    return false;
  }
}

function mountOptions(overlay: OverlayMount, target: string, flags: number, options: string): void {
  try {
    mount('overlay', target, 'overlay', flags, options);
  } catch (cause) {
    throw overlayFailed(overlay, cause);
  }
}

function overlayFailed({ lowerDirs, upper }: OverlayMount, cause: unknown): BoxwrightError {
  const why = cause instanceof SystemCallError ? cause.code : 'unknown error';
  const where = upper?.upperDir ?? lowerDirs.at(-1) ?? '';
  return new BoxwrightError('SANDBOX_OVERLAY_FAILED', `overlayfs cannot be mounted over ${where}: ${why}`, {
    hint:
      lowerDirs.length > MAX_LAYERS
        ? `The image has ${lowerDirs.length} layers; put several instructions into one.`
        : 'The store must be on a file system that overlayfs can write to (ext4, xfs, btrfs, tmpfs; not overlay, NFS or FUSE): set BOXWRIGHT_HOME.',
    cause,
    details: { lowerDirs: lowerDirs.length, upperDir: upper?.upperDir },
  });
}
