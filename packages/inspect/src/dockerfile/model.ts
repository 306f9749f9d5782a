import type { ContainerConfig } from '@boxwright/oci';
import type { InstructionKind, NameValue } from '../instructions/index.ts';

/** What of a Dockerfile an image does not tell. */
export type LossKind =
  /** `--from`: an absolute source usually means another stage or image. */
  | 'copy-from'
  /** What was copied: the row has only a checksum. */
  | 'copy-sources'
  /** The content of a file that was written in the Dockerfile (`COPY <<EOF`). */
  | 'inline-content'
  /** The script of a `RUN <<EOF` that starts with `#!`. */
  | 'run-script'
  /** Where one word ends and the next begins. */
  | 'words'
  /** A row that records no instruction, or one that no Dockerfile can hold. */
  | 'row'
  /** A layer that no row speaks of. */
  | 'layer'
  /** A trigger of the base (ONBUILD) wrote the row: FROM alone repeats it. */
  | 'trigger'
  /** A setting of the image that no row explains. */
  | 'unexplained';

/** Something lost at one step. */
export interface Loss {
  readonly kind: LossKind;
  /** What is known about it, as the image has it. */
  readonly detail?: string;
}

/** The COPY or ADD of a step, taken apart so that its files can be found in the layer and its text written anew. */
export interface CopyStep {
  readonly kind: 'COPY' | 'ADD';
  readonly flags: readonly string[];
  readonly sources: readonly string[];
  readonly destination: string;
  /** The working directory that a relative destination counts from. */
  readonly workingDir: string;
  /** Stands for a stage or image that is not known: `lost-1`. */
  readonly from?: string;
  /** Files written in the Dockerfile, with the content where it was found in the layer. */
  readonly inline: readonly { readonly name: string; readonly content?: string }[];
}

/** One instruction of the Dockerfile, or what stands in its place. */
export interface DockerfileStep {
  /** As Dockerfile text, several lines at times; empty when nothing can be written. */
  readonly text: string;
  /** Absent for rows without an instruction. */
  readonly kind?: InstructionKind;
  /** Index of the history row, oldest first; absent for what no row says. */
  readonly row?: number;
  /** Index of the layer, base first; absent for a step that made none. */
  readonly layer?: number;
  readonly losses: readonly Loss[];
  readonly copy?: CopyStep;
}

/** What an image was built on, and how that is known. */
export interface DockerfileBase {
  /**
   * `known`: an image of the candidates has these layers; `claimed`: the image names it, its layers were not compared;
   * `scratch`: the first layer is not a root file system; `unknown`: then {@link rows} are a guess.
   */
  readonly kind: 'known' | 'claimed' | 'unknown' | 'scratch';
  /** What FROM says. */
  readonly name: string;
  /** How many layers and history rows are the base's. */
  readonly layers: number;
  readonly rows: number;
  /** More candidates that fit as well. */
  readonly otherNames: readonly string[];
  /** Without a base that is known: the candidate with most layers in common, if any has one. */
  readonly nearest?: { readonly name: string; readonly layers: number };
  /** How many images were compared. */
  readonly candidates: number;
  /** The base's settings: those of its config, or what its rows say. */
  readonly settings: ContainerConfig;
}

/** A Dockerfile read out of an image. */
export interface ReconstructedDockerfile {
  readonly base: DockerfileBase;
  /** In the order of the Dockerfile, without FROM. */
  readonly steps: readonly DockerfileStep[];
  /** Labels that no row explains: given with `--label`, or by a tool that built it. */
  readonly buildLabels: readonly NameValue[];
}

/** Stands in FROM for a base that is not known. */
export const LOST_BASE = 'lost-base';
