import { DockerfileError } from './dockerfile-error.ts';
import { skipSpace } from './go-space.ts';
import type { Directives } from './instructions.ts';
import { lineText, positionAt, type Source } from './source.ts';

const names = ['syntax', 'escape', 'check'] as const;
type DirectiveName = (typeof names)[number];

/** A directive found at the top of the file. */
interface Found {
  readonly value: string;
  readonly line: number;
}

/**
 * Reads `# escape=`, `# syntax=` and `# check=` at the top of the file
 * (https://docs.docker.com/reference/dockerfile/#parser-directives). The first line that is none of them ends the search,
 * an empty line, another comment and an unknown directive included.
 *
 * @throws {DockerfileError} for a directive given twice and for an escape that is neither a backslash nor a backtick.
 */
export function readDirectives(source: Source): Directives {
  const found = new Map<DirectiveName, Found>();
  for (let line = 0; line < source.lineStarts.length; line++) {
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*?)\s*$/.exec(strippedLine(source, line));
    const name = names.find((candidate) => candidate === match?.[1]?.toLowerCase());
    if (match === null || name === undefined) break;
    if (found.has(name)) throw faultAt(source, line, `the directive ${name} is given twice`);
    found.set(name, { value: match[2] ?? '', line });
  }
  const syntax = found.get('syntax')?.value;
  const check = found.get('check')?.value;
  return {
    escape: escapeOf(source, found.get('escape')),
    ...(syntax === undefined ? {} : { syntax }),
    ...(check === undefined ? {} : { check }),
  };
}

/** A line without leading white space, cut where no directive can matter any more. */
function strippedLine(source: Source, line: number): string {
  const text = lineText(source, line);
  return text.slice(skipSpace(text, 0)).slice(0, 4096);
}

function escapeOf(source: Source, found: Found | undefined): '\\' | '`' {
  if (found === undefined || found.value === '\\') return '\\';
  if (found.value === '`') return '`';
  throw faultAt(source, found.line, `the escape character is \\ or \`, not ${found.value}`);
}

function faultAt(source: Source, line: number, reason: string): DockerfileError {
  const start = source.lineStarts[line] ?? 0;
  const text = lineText(source, line);
  return new DockerfileError(
    'DOCKERFILE_SYNTAX',
    source,
    { start: positionAt(source, start + skipSpace(text, 0)), end: { line: line + 1, column: text.length + 1 } },
    reason,
  );
}
