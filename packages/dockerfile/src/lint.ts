import type { Dockerfile, LintWarning } from './instructions.ts';

/** The warnings that need nothing but the text, those of the parser first. */
export function lintDockerfile(dockerfile: Dockerfile): readonly LintWarning[] {
  return dockerfile.warnings;
}
