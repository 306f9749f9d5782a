import { inspect } from 'node:util';
import { escapeForTerminal, isBoxwrightError, safeJson } from '@boxwright/errors';
import { createColors } from 'picocolors';

/** Errors for people or for programs. */
export type ErrorFormat = 'text' | 'json';

/** How {@link renderError} writes. */
export interface RenderErrorOptions {
  readonly format: ErrorFormat;
  readonly colors: boolean;
  /** Adds stacks and causes. */
  readonly debug: boolean;
}

/** Causes of causes are followed this far. */
const maxCauses = 10;

/** An error as it is printed on standard error, newline at the end. All foreign text in it is escaped. */
export function renderError(error: unknown, options: RenderErrorOptions): string {
  const facts = factsOf(error);
  if (options.format === 'json') {
    const debug = options.debug ? { stack: stackOf(error) } : {};
    return `${safeJson({ error: { ...facts, ...debug } })}\n`;
  }
  const { red, bold, dim, cyan } = createColors(options.colors);
  const frame = facts.frame === undefined ? [] : escapeLines(facts.frame);
  const main = `${bold(red(facts.stepFailed ? 'ERROR:' : 'error:'))} ${escapeForTerminal(facts.message)} ${dim(`[${facts.code}]`)}`;
  // A failed step's own output stands above: the frame follows it, and the verdict comes last, as with buildx.
  const lines = facts.stepFailed ? [...frame, main] : [main, ...frame];
  if (facts.hint !== undefined) lines.push(`${cyan('hint:')} ${escapeForTerminal(facts.hint)}`);
  if (options.debug) lines.push(dim(escapeLines(stackOf(error)).join('\n')));
  return `${lines.join('\n')}\n`;
}

interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly frame: string | undefined;
  readonly file: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly stepFailed: boolean | undefined;
}

function factsOf(error: unknown): ErrorFacts {
  if (isBoxwrightError(error)) {
    const { code, message, hint, details } = error;
    const isEmpty = Object.keys(details).length === 0;
    return {
      code,
      message,
      hint,
      frame: textOf(error, 'frame'),
      file: textOf(error, 'file'),
      details: isEmpty ? undefined : details,
      stepFailed: typeof details['exitCode'] === 'number' ? true : undefined,
    };
  }
  const none = { frame: undefined, file: undefined, details: undefined, stepFailed: undefined };
  const message = error instanceof Error ? error.message : String(error);
  // Errors of the operating system carry `syscall` and say what failed; anything else is a fault of this program.
  if (error instanceof Error && 'code' in error && 'syscall' in error) {
    return { ...none, code: String(error.code), message, hint: undefined };
  }
  return {
    ...none,
    code: 'INTERNAL',
    message: `internal error: ${message}`,
    hint: 'Run again with BOXWRIGHT_DEBUG=1 and report what it prints.',
  };
}

function textOf(error: Error, key: 'frame' | 'file'): string | undefined {
  // DockerfileError has both; an error class of another copy of the package is not known by `instanceof`.
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : undefined;
}

function stackOf(error: unknown): string {
  const stacks: string[] = [];
  for (let at = error; at !== undefined && stacks.length < maxCauses; at = at instanceof Error ? at.cause : undefined) {
    stacks.push(at instanceof Error ? (at.stack ?? at.message) : inspect(at));
  }
  return stacks.join('\ncaused by: ');
}

function escapeLines(text: string): string[] {
  return text.replaceAll('\t', '    ').split('\n').map(escapeForTerminal);
}
