import { type DeploymentResult, type ImageSummary, type PlannedDeployment, registrationJson } from '@boxwright/deploy';
import { escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import { formatSizeShort, formatTable } from '@boxwright/inspect';

/** The table at the end: one line for each image of each deployment. */
export function summaryTable(results: readonly DeploymentResult[]): string {
  const rows = results.flatMap((result) =>
    result.images.length === 0
      ? [[result.name, result.state, '', '', '', '', '', result.seconds.toFixed(1)]]
      : result.images.map((image) => [result.name, result.state, ...imageCells(image)]),
  );
  return formatTable(
    ['DEPLOYMENT', 'STATE', 'IMAGE', 'TAGS', 'DIGEST', 'SIZE', 'CACHED', 'SECONDS'],
    rows.map((row) => row.map(escapeForTerminal)),
  );
}

function imageCells({ image, tags, digest, bytes, cached, seconds }: ImageSummary): readonly string[] {
  return [
    image,
    tags.join(', '),
    digest === undefined ? '' : digest.slice(0, 19),
    bytes === undefined ? '' : formatSizeShort(bytes),
    cached ? 'yes' : 'no',
    seconds.toFixed(1),
  ];
}

/** The same for programs. */
export function summaryJson(results: readonly DeploymentResult[]): unknown {
  return results.map(({ name, state, images, registration, error, seconds }) => ({
    name,
    state,
    images,
    ...(registration === undefined ? {} : { registration: registrationJson(registration) }),
    ...(error === undefined ? {} : { error: errorJson(error) }),
    seconds,
  }));
}

function errorJson(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  return isBoxwrightError(error) ? { code: error.code, message, hint: error.hint } : { code: 'INTERNAL', message };
}

/** `--dry-run`: each step with its inputs. */
export function planText(plan: readonly PlannedDeployment[]): string {
  const lines: string[] = [];
  for (const { name, steps } of plan) {
    lines.push(name);
    if (steps.length === 0) lines.push('  no steps');
    for (const { section, step, line, inputs } of steps) {
      lines.push(`  ${section}: ${step} (line ${line})`);
      for (const [key, value] of Object.entries(inputs)) {
        lines.push(`    ${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
      }
    }
  }
  return lines.map((line) => `${escapeForTerminal(line)}\n`).join('');
}
