import { BoxwrightError } from '@boxwright/errors';
import { pythonRepr } from './python-repr.ts';

/** What a test expected of a Dockerfile is not so: DOCKERFILE_ASSERTION. */
export class DockerfileAssertionError extends BoxwrightError {
  constructor(message: string) {
    super('DOCKERFILE_ASSERTION', message);
  }
}

/** The first line that equals the wanted one, from 0; case and blanks count. @throws DockerfileAssertionError */
export function assertHasLine(lines: readonly string[], line: string): number {
  const at = lines.indexOf(line);
  if (at !== -1) return at;
  throw new DockerfileAssertionError(
    `Expected ${pythonRepr(line)} not found in Dockerfile.  Dockerfile:\n${numbered(lines, 0, lines.length)}`,
  );
}

/** @throws DockerfileAssertionError */
export function assertLineAbsent(lines: readonly string[], line: string): void {
  const at = lines.indexOf(line);
  if (at === -1) return;
  throw new DockerfileAssertionError(
    `Unexpected ${pythonRepr(line)} found in Dockerfile at line ${at + 1}.  ` +
      `Surrounding lines:\n${numbered(lines, at - 2, at + 2)}`,
  );
}

/** Both have to be there; the first occurrence counts. @throws DockerfileAssertionError */
export function assertLineBefore(lines: readonly string[], first: string, second: string): void {
  const firstAt = assertHasLine(lines, first);
  const secondAt = assertHasLine(lines, second);
  if (firstAt < secondAt) return;
  const [shownFirst, shownSecond] = [pythonRepr(first), pythonRepr(second)];
  throw new DockerfileAssertionError(
    `Expected ${shownFirst} to appear before ${shownSecond} in the Dockerfile, but ${shownFirst} was at line ` +
      `${firstAt + 1} and ${shownSecond} was at line ${secondAt + 1}.  ` +
      `Surrounding lines:\n${numbered(lines, secondAt - 2, firstAt + 2)}`,
  );
}

/** Lines with their numbers, as Prefect shows them. */
function numbered(lines: readonly string[], from: number, to: number): string {
  const start = Math.max(0, from);
  return lines
    .slice(start, to)
    .map((line, index) => `  ${String(start + index + 1).padStart(3)}: ${line}`)
    .join('\n');
}
