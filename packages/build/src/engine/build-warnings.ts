import { type Dockerfile, type LintWarning, parseCheckOptions } from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import type { ProgressReporter } from './progress.ts';

/** Findings of one build, each told once; with `# check=error=true` they end it (Dockerfile reference, "check"). */
export class BuildWarnings {
  readonly #dockerfile: Dockerfile;
  readonly #reporter: ProgressReporter;
  readonly #found = new Map<string, LintWarning>();

  constructor(dockerfile: Dockerfile, reporter: ProgressReporter) {
    this.#dockerfile = dockerfile;
    this.#reporter = reporter;
  }

  add = (warning: LintWarning): void => {
    this.#found.set(`${warning.rule}:${warning.range.start.line}:${warning.message}`, warning);
  };

  /** @throws BoxwrightError `DOCKERFILE_CHECK` */
  report(): void {
    const { file, directives } = this.#dockerfile;
    const options = parseCheckOptions(directives.check ?? '');
    if ('reason' in options) throw new BoxwrightError('DOCKERFILE_CHECK', `${file}: ${options.reason}`);
    const shown = [...this.#found.values()].filter(({ rule }) => options.skip !== 'all' && !options.skip.has(rule));
    for (const { rule, message, range } of shown) {
      this.#reporter.warning({ message: `${rule}: ${message}`, file, line: range.start.line });
    }
    if (!options.error || shown.length === 0) return;
    const [first] = shown;
    throw new BoxwrightError(
      'DOCKERFILE_CHECK',
      `${file}:${first?.range.start.line}: lint violation found for rules: ${[...new Set(shown.map(({ rule }) => rule))].join(', ')}`,
      { hint: 'mend what the warnings say, or remove error=true from the check directive' },
    );
  }
}
