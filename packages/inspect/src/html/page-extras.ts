import type { Localized } from '../labels/language.ts';

/** What an HTML page shows beside its model, as far as somebody has looked. Texts are as the image has them. */
export interface PageExtras {
  readonly dockerfile?: PageDockerfile;
  /** The files of the image as its last layer leaves them. */
  readonly tree?: PageTreeNode;
  readonly waste?: PageWaste;
  readonly secrets?: readonly PageSecret[];
  /** The image is in the local store; whether it is also in a registry is not known. */
  readonly inStore?: boolean;
}

/** The Dockerfile that the image may have been built with. */
export interface PageDockerfile {
  readonly text: string;
  /** What it says that is a guess, and what is lost. */
  readonly notes: readonly Localized[];
  /** Name of the base image, and how many of the oldest history entries are its; absent when that is not known. */
  readonly base?: { readonly name: string; readonly rows: number };
}

/** A file or directory. */
export interface PageTreeNode {
  /** Its last path component; empty for the root. */
  readonly name: string;
  /** Bytes of the file, or of all files below the directory. */
  readonly size: number;
  /** Present for directories. */
  readonly children?: readonly PageTreeNode[];
}

/** Bytes of layers that nobody sees, by dive's measure. */
export interface PageWaste {
  /** 0 to 1: what the files would take if each were there once, by what they take. */
  readonly efficiency: number;
  readonly wastedBytes: number;
  /** Most bytes first. */
  readonly files: readonly PageWastedFile[];
}

/** A path that is in several layers. */
export interface PageWastedFile {
  readonly path: string;
  /** In how many layers it is. */
  readonly copies: number;
  /** Bytes of all copies. */
  readonly bytes: number;
}

/** Something that looks like a token, a password or a key. */
export interface PageSecret {
  readonly kind: Localized;
  /** Where: `ENV API_TOKEN`, `history row 7`, a path. */
  readonly place: string;
  /** What was found, made unreadable unless somebody asked for it. */
  readonly excerpt?: string;
}
