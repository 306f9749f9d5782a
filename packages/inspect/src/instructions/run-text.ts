import { parseJsonList } from './go-text.ts';
import type { NameValue, RunInstruction } from './instruction.ts';

/** Values longer than this are not compared, so that hostile ones cost little: their end is looked for instead. */
const longestValue = 16_384;

/** What earlier rows have set. */
export interface RunScope {
  /** The shell of shell-form instructions, joined by blanks. */
  readonly shell: string;
  /** Build arguments by name; only those that have a value. */
  readonly buildArguments: ReadonlyMap<string, string>;
  /** Variables, whose values win over those of build arguments. */
  readonly variables: ReadonlyMap<string, string>;
}

/** Reads the text of a RUN row, without `RUN` and `# buildkit`: `|1 A=x /bin/sh -c make`. */
export function parseRun(text: string, scope: RunScope): RunInstruction {
  const { pairs, rest } = stripBuildArguments(text, scope);
  const shell = [scope.shell, '/bin/sh -c'].find((candidate) => rest.startsWith(`${candidate} `));
  if (shell === undefined) return { kind: 'RUN', buildArguments: pairs, command: rest };
  const command = rest.slice(shell.length + 1);
  // buildah writes the exec form as a JSON array behind a shell that it did not use.
  const words = parseJsonList(command);
  return words === undefined
    ? { kind: 'RUN', buildArguments: pairs, shell, command }
    : { kind: 'RUN', buildArguments: pairs, command: words.join(' '), words };
}

/**
 * Takes `|N K=V …` off. Values are not quoted and may have blanks, so those that the ARG and ENV rows gave are looked
 * for first; else a value ends where the next name or the shell begins.
 */
function stripBuildArguments(
  text: string,
  scope: RunScope,
): { readonly pairs: readonly NameValue[]; readonly rest: string } {
  const head = /^\|(\d{1,5}) /.exec(text);
  if (head === null) return { pairs: [], rest: text };
  const count = Number(head[1]);
  const pairs: NameValue[] = [];
  let position = head[0].length;
  while (pairs.length < count) {
    const name = nameAt(text, position);
    if (name === undefined) break;
    const start = position + name.length + 1;
    const end = endOfValue(text, start, name, pairs.length === count - 1, scope);
    pairs.push({ name, value: text.slice(start, end) });
    position = end + 1;
  }
  return { pairs, rest: text.slice(position) };
}

function endOfValue(text: string, start: number, name: string, isLast: boolean, scope: RunScope): number {
  for (const value of [scope.variables.get(name), scope.buildArguments.get(name), '']) {
    if (value === undefined || value.length > longestValue) continue;
    if (text.startsWith(value, start) && text[start + value.length] === ' ') {
      if (isLast || nameAt(text, start + value.length + 1) !== undefined) return start + value.length;
    }
  }
  const end = isLast ? beforeShell(text, start, scope.shell) : beforeName(text, start);
  return end ?? text.length;
}

function beforeShell(text: string, start: number, shell: string): number | undefined {
  const found = text.indexOf(` ${shell} `, start);
  const blank = text.indexOf(' ', start);
  return found >= 0 ? found : blank >= 0 ? blank : undefined;
}

function beforeName(text: string, start: number): number | undefined {
  for (let blank = text.indexOf(' ', start); blank >= 0; blank = text.indexOf(' ', blank + 1)) {
    if (nameAt(text, blank + 1) !== undefined) return blank;
  }
  return undefined;
}

const namePattern = /([A-Za-z_]\w{0,255})=/y;

/** The name before `=` that stands at `position`. */
function nameAt(text: string, position: number): string | undefined {
  namePattern.lastIndex = position;
  return namePattern.exec(text)?.[1];
}
