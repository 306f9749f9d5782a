import type { ByteString } from '@boxwright/oci';
import type { Localized } from '../labels/language.ts';

/** What an HTML page shows beside its model, as far as somebody has looked. Texts are as the image has them. */
export interface PageExtras {
  readonly dockerfile?: PageDockerfile;
  /** The files of the image as its last layer leaves them. */
  readonly tree?: PageTreeNode;
  readonly waste?: PageWaste;
  /** The image was read on this machine (store, layout, archive); whether a registry has it too is not known. */
  readonly isLocal?: boolean;
}

/** The Dockerfile that the image may have been built with. */
export interface PageDockerfile {
  readonly text: string;
  /** What about it is a guess, and what is lost. */
  readonly notes: readonly Localized[];
  /** Name of the base image, and how many of the oldest history entries are its; absent when that is not known. */
  readonly base?: { readonly name: string; readonly rows: number };
}

/** A file or directory, or several small files together. */
export interface PageTreeNode {
  /** Its last path component; empty for the root, and for small files together. */
  readonly name: string;
  /** Bytes of the file, or of all files below the directory. */
  readonly size: number;
  /** Present for directories. */
  readonly children?: readonly PageTreeNode[];
  /** How many files this stands for; absent for one of its own. */
  readonly count?: number;
}

/** What of the layers' bytes is there twice, by dive's measure; an `Efficiency` is one. */
export interface PageWaste {
  /** 0 to 1. */
  readonly score: number;
  readonly wastedBytes: number;
  /** Paths that are in several layers, in how many, and the bytes of all of them; most bytes first. */
  readonly wasted: readonly { readonly path: ByteString; readonly count: number; readonly bytes: number }[];
}
