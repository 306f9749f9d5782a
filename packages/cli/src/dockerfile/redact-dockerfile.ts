import {
  type BaseCandidate,
  type ExtractionReport,
  type ReconstructedDockerfile,
  type Redactor,
  reconstructDockerfile,
  redactConfig,
  type VerificationReport,
} from '@boxwright/inspect';
import type { ImageConfig } from '@boxwright/oci';

/** What a Dockerfile is read out of. */
export interface DockerfileEvidence {
  readonly config: ImageConfig;
  readonly candidates: readonly BaseCandidate[];
  readonly claimed: string | undefined;
}

/**
 * The Dockerfile without the secrets of its image. It is read again out of the image without them: taken out of the text,
 * quotes and continuation lines would hide some.
 *
 * @param dockerfile as it is; steps that extraction wrote anew are taken from it
 */
export function redactDockerfile(
  { config, candidates, claimed }: DockerfileEvidence,
  dockerfile: ReconstructedDockerfile,
  redactor: Redactor,
): ReconstructedDockerfile {
  const before = reconstructDockerfile(config, { candidates, claimed });
  const redacted = reconstructDockerfile(redactConfig(config, redactor), {
    candidates: candidates.map((candidate) => ({ ...candidate, config: redactConfig(candidate.config, redactor) })),
    claimed,
  });
  const isAligned = redacted.steps.length === dockerfile.steps.length;
  const steps = dockerfile.steps.map((step, index) => {
    const twin = isAligned ? redacted.steps[index] : undefined;
    if (twin !== undefined && before.steps[index]?.text === step.text) return { ...twin, losses: step.losses };
    return { ...step, text: redactor.text(step.text) };
  });
  return {
    ...redacted,
    steps: steps.map((step) => ({
      ...step,
      losses: step.losses.map(({ kind, detail }) =>
        detail === undefined ? { kind } : { kind, detail: redactor.text(detail) },
      ),
    })),
  };
}

/** The same for what is reported of it. */
export function redactExtraction(report: ExtractionReport, redactor: Redactor): ExtractionReport {
  return { ...report, command: redactor.words(report.command) };
}

/** The same for what was compared: values as JSON. */
export function redactVerification(report: VerificationReport, redactor: Redactor): VerificationReport {
  return {
    ...report,
    ...(report.reason === undefined ? {} : { reason: redactor.text(report.reason) }),
    fields: report.fields.map(({ original, rebuilt, ...field }) => ({
      ...field,
      ...(original === undefined ? {} : { original: redactor.text(original) }),
      ...(rebuilt === undefined ? {} : { rebuilt: redactor.text(rebuilt) }),
    })),
  };
}
