import type { Step } from '../project/index.ts';
import type { StepProgress } from './step-progress.ts';

/** Packages whose steps are built in here: nothing has to be there for them. */
const builtIn: readonly string[] = ['prefect', 'prefect-docker'];

/**
 * Looks at what a step says it requires. Our steps need no Python packages, and none is ever installed; a package that the
 * step cannot be from is worth a warning.
 */
export function checkRequires({ requires, name }: Step, progress: Pick<StepProgress, 'warning'>): void {
  for (const { value, range } of requires) {
    const [packageName = ''] = value.trim().split(/[^A-Za-z0-9._-]/, 1);
    const normal = packageName.toLowerCase().replace(/[-_.]+/g, '-');
    if (builtIn.includes(normal)) continue;
    progress.warning(
      `${range.source.file}:${range.start.line}: ${name.value} requires ${value}: the step is built in, and no package is installed`,
    );
  }
}
