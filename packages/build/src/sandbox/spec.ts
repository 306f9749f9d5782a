import type { NetworkMode } from '../engine/engine.ts';

/** Numeric identity of the command, already looked up in the image's passwd and group files. */
export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; `gid` is added to them when it is missing, as containerd does. */
  readonly additionalGids: readonly number[];
}

/** Something mounted over the root file system while the command runs; nothing of it stays in the layer. */
export type SandboxMount =
  /** A directory or file of the host. Its last component must not be a symlink. */
  | { readonly kind: 'bind'; readonly path: string; readonly target: string; readonly readonly: boolean }
  /** The merged view of layer directories (base first), or what is at `subpath` in it; writes are thrown away. */
  | {
      readonly kind: 'layers';
      readonly lowerDirs: readonly string[];
      readonly subpath: string;
      readonly target: string;
      readonly readonly: boolean;
    }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  /** A file that lives in memory only. */
  | {
      readonly kind: 'secret';
      readonly target: string;
      readonly data: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** One command to run on a stack of layers. */
export interface SandboxSpec {
  /** Layer directories in overlayfs form, base first; none for `FROM scratch`. */
  readonly lowerDirs: readonly string[];
  /** Receives what the command changes, in overlayfs form. Exists, is empty, on the file system of `workDir`. */
  readonly upperDir: string;
  /** For overlayfs and for throw-away uppers. Exists, is empty; remove it afterwards. */
  readonly workDir: string;
  /** The command; without a `/` its first word is looked up in the PATH of `env`, inside the root file system. */
  readonly args: readonly string[];
  /** `NAME=value`. HOME is added from the image's passwd file when it is missing, as runc does. */
  readonly env: readonly string[];
  /** Absolute; made (owned by the user) when it does not exist. */
  readonly cwd: string;
  readonly user: SandboxUser;
  readonly mounts: readonly SandboxMount[];
  /** `default` and `host` both mean the host's network, as BuildKit does without CNI; `none` has only a loopback device. */
  readonly network: NetworkMode;
  readonly extraHosts?: readonly { readonly host: string; readonly address: string }[];
  /** BuildKit's `buildkitsandbox` when absent. */
  readonly hostname?: string;
  /** Called with the command's output as it comes: 1 is stdout, 2 stderr. Not called with `tty` or `inherit`. */
  readonly onOutput?: (stream: 1 | 2, chunk: Uint8Array) => void;
  /** Kills the command and everything it started, at once; {@link runInSandbox} then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called once, as soon as the command is being started. */
  readonly onStart?: (command: StartedSandbox) => void;
  /**
   * `pipe` (default): output goes to `onOutput`, stdin is /dev/null. `inherit`: this process's stdin, stdout and stderr.
   * `tty`: the same, which must be a terminal; the command gets it as its foreground job.
   */
  readonly stdio?: 'pipe' | 'inherit' | 'tty';
}

/** A command that has been started. */
export interface StartedSandbox {
  /**
   * Sends a signal to the command itself, which may do with it what it likes: as first process of its namespace it
   * ignores those that it has no handler for. When nothing of it has run yet, it is killed.
   */
  send(signal: NodeJS.Signals): void;
}

/** How the command ended. */
export interface SandboxResult {
  /** 0 to 255; 128 + n when signal number n killed it, as a shell reports it. */
  readonly exitCode: number;
  /** Name of the signal that killed it. */
  readonly signal?: string;
}
