import {
  type DeploymentResult,
  type ImageSummary,
  type PlannedDeployment,
  type Redactor,
  type Registration,
  registrationJson,
} from '@boxwright/deploy';
import { escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import { formatSizeShort, formatTable } from '@boxwright/inspect';

/** The table at the end: one line for each image of each deployment. */
export function summaryTable(results: readonly DeploymentResult[]): string {
  const rows = results.flatMap((result) =>
    result.images.length === 0
      ? [[result.name, result.state, '', '', '', '', '', '', result.seconds.toFixed(1)]]
      : result.images.map((image) => [result.name, result.state, ...imageCells(image)]),
  );
  return formatTable(
    ['DEPLOYMENT', 'STATE', 'IMAGE', 'TAGS', 'PUSHED', 'DIGEST', 'SIZE', 'CACHED', 'SECONDS'],
    rows.map((row) => row.map(escapeForTerminal)),
  );
}

function imageCells({
  image,
  tags,
  pushed,
  pushedTags,
  digest,
  bytes,
  cached,
  seconds,
}: ImageSummary): readonly string[] {
  return [
    image,
    tags.join(', '),
    pushed ? 'yes' : pushedTags.length === 0 ? 'no' : `only ${pushedTags.join(', ')}`,
    digest === undefined ? '' : digest.slice(0, 19),
    bytes === undefined ? '' : formatSizeShort(bytes),
    cached ? 'yes' : 'no',
    seconds.toFixed(1),
  ];
}

/** The same for programs, without secrets: job variables may hold some. */
export function summaryJson(results: readonly DeploymentResult[], redactor: Redactor): unknown {
  return results.map(({ name, state, images, registration, error, seconds }) => ({
    name,
    state,
    images,
    ...(registration === undefined ? {} : { registration: redacted(registration, redactor) }),
    ...(error === undefined ? {} : { error: errorJson(error) }),
    seconds,
  }));
}

function redacted(registration: Registration, redactor: Redactor): unknown {
  return redactor.redactObject(registrationJson(registration));
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
