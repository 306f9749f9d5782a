import { type ImageConfig, platformOf } from '@boxwright/oci';
import { readHistory } from '../instructions/index.ts';
import type { FieldComparison } from './compare-configs.ts';
import { dockerfileText, lossText } from './dockerfile-text.ts';
import type { ExtractFinding } from './extract/write-copied.ts';
import type { ReconstructedDockerfile } from './model.ts';

/** Which image a Dockerfile was read out of. */
export interface DockerfileSubject {
  /** As it was named, escaped where it is shown. */
  readonly name: string;
  /** Of its manifest, and of its config. */
  readonly digest: string;
  readonly id: string;
  /** `linux/arm64`. */
  readonly platform: string;
}

/** What became of the files. */
export interface ExtractionReport {
  readonly directory: string;
  /** The words of the command that builds it. */
  readonly command: readonly string[];
  readonly findings: readonly ExtractFinding[];
}

/** What became of building it again. */
export interface VerificationReport {
  /** `build`: all of it was built; `metadata`: only what instructions set was worked out. */
  readonly level: 'build' | 'metadata';
  /** Why it was not built. */
  readonly reason?: string;
  readonly fields: readonly FieldComparison[];
}

/** What `boxwright dockerfile --format json` prints, by docs/schema/dockerfile.schema.json. */
export interface DockerfileDocument {
  readonly schemaVersion: 1;
  readonly image: DockerfileSubject;
  readonly base: Omit<ReconstructedDockerfile['base'], 'settings'>;
  /** The file itself. */
  readonly dockerfile: string;
  readonly steps: readonly (Omit<ReconstructedDockerfile['steps'][number], 'losses' | 'copy'> & {
    readonly losses: readonly { readonly kind: string; readonly detail?: string; readonly text: string }[];
    readonly from?: string;
  })[];
  readonly buildLabels: ReconstructedDockerfile['buildLabels'];
  readonly extracted?: ExtractionReport;
  readonly verification?: VerificationReport;
}

/** The first line of the file says which image it is of. */
export function dockerfileTitle({ name, digest, platform }: DockerfileSubject): string {
  return `${name} (${digest}, ${platform})`;
}

/** Puts the document together; print it with a JSON writer that escapes controls. */
export function dockerfileDocument(
  image: DockerfileSubject,
  dockerfile: ReconstructedDockerfile,
  reports: Pick<DockerfileDocument, 'extracted' | 'verification'> = {},
): DockerfileDocument {
  const { settings: _, ...base } = dockerfile.base;
  return {
    schemaVersion: 1,
    image,
    base,
    dockerfile: dockerfileText(dockerfile, { title: dockerfileTitle(image) }),
    steps: dockerfile.steps.map(({ losses, copy, ...step }) => ({
      ...step,
      losses: losses.map((loss) => ({ ...loss, text: lossText(loss) })),
      ...(copy?.from === undefined ? {} : { from: copy.from }),
    })),
    buildLabels: dockerfile.buildLabels,
    ...reports,
  };
}

/** `linux/arm/v7`, of a config. */
export function platformText(config: ImageConfig): string {
  const { os, architecture, variant } = platformOf(config);
  return [os, architecture, ...(variant === undefined || variant === '' ? [] : [variant])].join('/');
}

/**
 * Rows from which on the history of a rebuilt image cannot be the same: other builders write other texts, and what no row
 * records writes one now.
 */
export function lostRows(config: ImageConfig, { steps, base }: ReconstructedDockerfile): ReadonlySet<number> {
  const lost = new Set<number>();
  for (const [row, { writer }] of readHistory(config.history, { config: config.config }).entries()) {
    if (row >= base.rows && writer !== 'buildkit') lost.add(row);
  }
  for (const [index, { row, losses, kind }] of steps.entries()) {
    if (kind === 'ONBUILD') continue;
    const next = row ?? steps[index + 1]?.row ?? config.history.length;
    if (losses.some((loss) => loss.kind === 'row' || loss.kind === 'copy-sources' || loss.kind === 'unexplained')) {
      lost.add(next);
    }
  }
  return lost;
}
