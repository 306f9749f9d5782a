import { resolve } from 'node:path';
import { automaticDockerfile } from '@boxwright/build';
import { escapeForTerminal, safeJson } from '@boxwright/errors';
import type { CommandContext } from '../command-context.ts';

/**
 * `boxwright dockerfile --auto`: prints the Dockerfile for a project; what should be known about it goes to standard error.
 *
 * @throws BoxwrightError AUTOMATIC_UNKNOWN, CONTEXT_NOT_FOUND, VERSION_INVALID
 */
export function writeAutomaticDockerfile(
  directory: string,
  format: 'text' | 'json',
  { cwd, env, stdout, stderr }: Pick<CommandContext, 'cwd' | 'env' | 'stdout' | 'stderr'>,
): void {
  const { kind, text, ignoreText, notes } = automaticDockerfile(resolve(cwd, directory), { env });
  if (format === 'json') {
    const document = { kind, dockerfile: text, dockerignore: ignoreText ?? null, notes };
    stdout.write(`${safeJson(document, 2)}\n`);
    return;
  }
  stdout.write(text);
  for (const note of notes) stderr.write(`note: ${escapeForTerminal(note)}\n`);
  if (ignoreText !== undefined) {
    const lines = ignoreText
      .trimEnd()
      .split('\n')
      .map((line) => `    ${escapeForTerminal(line)}\n`);
    stderr.write(`note: the project has no .dockerignore; this goes with the Dockerfile:\n${lines.join('')}`);
  }
}
