/** A name and the value it is given; a value that is absent was not given (`ARG NAME`). */
export interface NameValue {
  readonly name: string;
  readonly value?: string;
}

/** `RUN`, as far as a history row tells: `--mount`, `--network` and `--security` are never recorded. */
export interface RunInstruction {
  readonly kind: 'RUN';
  /** Build arguments that the row repeats (`|2 A=1 B=2`), in the order of their ARG instructions. */
  readonly buildArguments: readonly NameValue[];
  /** What the command was given to, `/bin/sh -c`; absent for the exec form, and for a shell that is not known. */
  readonly shell?: string;
  /** The command after the shell; for the exec form its words joined by blanks. */
  readonly command: string;
  /** The words of the exec form, where the row keeps them apart. */
  readonly words?: readonly string[];
}

/** `COPY` and `ADD`. BuildKit records neither `--from` nor `--link`, `--exclude` and `--checksum`. */
export interface CopyInstruction {
  readonly kind: 'COPY' | 'ADD';
  /** `--chown=1:2`, as written. */
  readonly flags: readonly string[];
  /** Empty where the row has a checksum in their place. Paths with blanks come apart. */
  readonly sources: readonly string[];
  readonly destination: string;
  /** The classic builder and buildah record `file:HASH`, `dir:HASH` or `multi:HASH` instead of the sources. */
  readonly contentId?: string;
}

/** `ENV`, `LABEL` and `ARG`. */
export interface PairsInstruction {
  readonly kind: 'ENV' | 'LABEL' | 'ARG';
  readonly pairs: readonly NameValue[];
}

/** Instructions that are lists. */
export interface WordsInstruction {
  readonly kind: 'CMD' | 'ENTRYPOINT' | 'SHELL' | 'EXPOSE' | 'VOLUME';
  readonly words: readonly string[];
  /** False when words may have had blanks that the row does not tell from those between them. */
  readonly exact: boolean;
}

/** `HEALTHCHECK`; durations as Go prints them (`1m30s`). Only {@link value} when the row cannot be taken apart. */
export interface HealthcheckInstruction {
  readonly kind: 'HEALTHCHECK';
  /** Everything after the keyword. */
  readonly value: string;
  readonly test?: readonly string[];
  readonly interval?: string;
  readonly timeout?: string;
  readonly startPeriod?: string;
  readonly startInterval?: string;
  readonly retries?: number;
}

/** Instructions that are one text. */
export interface ValueInstruction {
  readonly kind: 'WORKDIR' | 'USER' | 'STOPSIGNAL' | 'ONBUILD' | 'MAINTAINER' | 'FROM';
  readonly value: string;
}

/** A Dockerfile instruction read back from a history row (Dockerfile reference). */
export type HistoryInstruction =
  | RunInstruction
  | CopyInstruction
  | PairsInstruction
  | WordsInstruction
  | HealthcheckInstruction
  | ValueInstruction;

/** The keywords. */
export type InstructionKind = HistoryInstruction['kind'];

/** Typed so that a kind that is missing here does not compile. */
const kinds: Readonly<Record<InstructionKind, true>> = {
  RUN: true,
  COPY: true,
  ADD: true,
  ENV: true,
  LABEL: true,
  ARG: true,
  CMD: true,
  ENTRYPOINT: true,
  SHELL: true,
  EXPOSE: true,
  VOLUME: true,
  HEALTHCHECK: true,
  WORKDIR: true,
  USER: true,
  STOPSIGNAL: true,
  ONBUILD: true,
  MAINTAINER: true,
  FROM: true,
};

/** True for an instruction keyword in capital letters. */
export function isInstructionKind(word: string): word is InstructionKind {
  return Object.hasOwn(kinds, word);
}
