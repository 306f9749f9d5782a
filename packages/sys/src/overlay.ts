import fs from 'node:fs';
import { O_PATH } from './constants.ts';
import { mount } from './mounts.ts';
import type { PathLike } from './system-call-error.ts';

/** What {@link mountOverlay} mounts. */
export interface OverlayMount {
  /** Base first, at least one (two when there is no `upperDir`). */
  readonly lowerDirs: readonly PathLike[];
  /** Receives what is changed; the mount is read-only without it. On the file system of `workDir`. */
  readonly upperDir?: PathLike | undefined;
  readonly workDir?: PathLike | undefined;
  readonly target: PathLike;
  /** `MS_*` flags. */
  readonly flags?: number | undefined;
  /** Further options of overlayfs: `userxattr`, `volatile`, `index=off`... */
  readonly options?: readonly string[] | undefined;
}

/**
 * Mounts an overlay over paths of any length and any bytes. The kernel takes one page of options, which 40 paths of a
 * store would fill, and splits it at colons and commas; so directories are opened and named by descriptor
 * (`/proc/self/fd/N`), which gives room for about 200. Needs `/proc`.
 *
 * @throws SystemCallError, `E2BIG` for more layers than that; the error of `fs.openSync` for a missing directory
 */
export function mountOverlay(overlay: OverlayMount): void {
  const opened: number[] = [];
  const byDescriptor = (path: PathLike): string => {
    const fd = fs.openSync(path, O_PATH | fs.constants.O_DIRECTORY);
    opened.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  try {
    // overlayfs wants the topmost first.
    const options = [`lowerdir=${overlay.lowerDirs.toReversed().map(byDescriptor).join(':')}`];
    if (overlay.upperDir !== undefined) options.push(`upperdir=${byDescriptor(overlay.upperDir)}`);
    if (overlay.workDir !== undefined) options.push(`workdir=${byDescriptor(overlay.workDir)}`);
    options.push(...(overlay.options ?? []));
    mount('overlay', overlay.target, 'overlay', overlay.flags ?? 0, options.join(','));
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
}
