import { existsSync, mkdirSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { CLONE_NEWNS, MS_NODEV, MS_NOSUID, MS_REC, MS_SLAVE, mount, unshare } from '@boxwright/sys';

/** Directories that every kernel has and that this thread can do without: a mount hides what is in them. */
const mountPoints = ['/proc/fs', '/proc/bus', '/proc/irq', '/proc/tty'];

/** Names of one or two characters. */
const MAX_SHORT_NAMES = 36 * 36;

/** A file system in memory that only the sandbox thread sees; it goes with the thread, however that ends. */
export class Scratch {
  readonly path: string;
  readonly #links = new Map<string, string>();
  #runs = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Moves the calling thread into a mount namespace of its own and mounts the scratch space there. Mounts made
   * on the host later still appear in it.
   *
   * @throws SystemCallError `EPERM` without the privilege to do so
   */
  static open(): Scratch {
    const path = mountPoints.find((candidate) => existsSync(candidate));
    if (path === undefined) {
      throw new BoxwrightError('SANDBOX_UNAVAILABLE', 'the sandbox needs /proc', { hint: 'Mount proc at /proc.' });
    }
    unshare(CLONE_NEWNS);
    mount('none', '/', null, MS_REC | MS_SLAVE);
    mount('boxwright', path, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=700');
    return new Scratch(path);
  }

  /**
   * Short names for directories, without commas and colons: overlayfs takes the names of all layers in one page of text, and
   * looks them up while it is mounted only. They are remembered, so that the layers of a long build are linked
   * once, until there are so many that the names would get longer.
   */
  shortNames(directories: readonly string[]): readonly string[] {
    if (this.#links.size + directories.length > MAX_SHORT_NAMES) {
      for (const link of this.#links.values()) unlinkSync(link);
      this.#links.clear();
    }
    return directories.map((directory) => {
      const known = this.#links.get(directory);
      if (known !== undefined) return known;
      const link = `${this.path}/${this.#links.size.toString(36)}`;
      symlinkSync(directory, link);
      this.#links.set(directory, link);
      return link;
    });
  }

  /** A directory for one run. */
  makeRunDirectory(): string {
    const directory = `${this.path}/_${(this.#runs++).toString(36)}`;
    mkdirSync(directory, 0o755);
    return directory;
  }

  /** Removes what {@link makeRunDirectory} made, after everything in it was unmounted. */
  removeRunDirectory(directory: string): void {
    rmSync(directory, { recursive: true, force: true });
  }
}
