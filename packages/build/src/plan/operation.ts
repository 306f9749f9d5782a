import type { NetworkMode } from '../engine/engine.ts';

/** Where the files of a COPY, ADD or bind mount come from. */
export type FileSource =
  | { readonly kind: 'context' }
  /** `--build-context NAME=DIR`. */
  | { readonly kind: 'named-directory'; readonly path: string }
  /** A stage of this Dockerfile, or an image that was only named in `--from`: an entry of {@link Plan.stages}. */
  | { readonly kind: 'stage'; readonly stage: number }
  /** Files whose content stands in the Dockerfile. */
  | { readonly kind: 'inline'; readonly files: readonly { readonly name: string; readonly content: string }[] };

/** One source argument of COPY or ADD. */
export interface Transfer {
  readonly from: FileSource;
  /** Cleaned path inside the source, with a leading slash; may hold wildcards. */
  readonly path: string;
  readonly wildcards: boolean;
  /** COPY --parents: patterns below `path`, whose parent directories are kept. */
  readonly include: readonly string[];
  /** Path that must exist when `--parents` names one without wildcards. */
  readonly required: string | undefined;
  /** ADD: an archive found at `path` is unpacked. */
  readonly unpack: boolean;
  /** COPY and ADD follow a source that is itself a link; inline files need not. */
  readonly followLinks: boolean;
}

/** COPY and ADD. */
export interface CopyOperation {
  readonly kind: 'copy';
  readonly transfers: readonly Transfer[];
  /** Absolute; a trailing slash means "a directory". */
  readonly dest: string;
  /** `name`, `uid`, `name:group`, `uid:gid`; undefined keeps the source's owner. */
  readonly chown: string | undefined;
  /** Octal or symbolic. */
  readonly chmod: string | undefined;
  readonly exclude: readonly string[];
  /** COPY --link: computed on its own, so it never follows links of the image below. */
  readonly link: boolean;
}

/** WORKDIR: the directory and its missing parents. */
export interface WorkdirOperation {
  readonly kind: 'workdir';
  readonly path: string;
  /** USER in force: owner of what is created. */
  readonly user: string;
}

/** A `--mount` of a RUN, paths absolute. */
export type RunMountPlan =
  | {
      readonly type: 'bind';
      readonly from: FileSource;
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly from: FileSource | undefined;
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes: number | undefined }
  | {
      readonly type: 'secret';
      readonly id: string;
      readonly target: string | undefined;
      readonly env: string | undefined;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** RUN. */
export interface RunOperation {
  readonly kind: 'run';
  readonly args: readonly string[];
  /** `K=V`; ARG values included, proxy variables not. */
  readonly env: readonly string[];
  /** Proxy variables: given to the command but kept out of the cache key and the history, as BuildKit does. */
  readonly proxyEnv: readonly string[];
  readonly cwd: string;
  /** As USER gave it; empty = root. */
  readonly user: string;
  readonly mounts: readonly RunMountPlan[];
  readonly network: NetworkMode;
  readonly extraHosts: readonly { readonly host: string; readonly address: string }[];
  /** A heredoc with `#!`: mounted as an executable file and run. */
  readonly script: { readonly path: string; readonly content: string } | undefined;
}

/** What changes the file system; the executor knows these and no Dockerfile. */
export type Operation = CopyOperation | WorkdirOperation | RunOperation;
