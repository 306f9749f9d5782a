import { parseFlags } from './flags.ts';
import { chompTabs, tryHeredocStart } from './heredoc.ts';
import type { Heredoc, RunInstruction, RunMount } from './instructions.ts';
import { commandArguments } from './parse-arguments.ts';
import { MountError, previewRunMount } from './run-mount.ts';
import { baseOf, didYouMean, fault, type Statement } from './statement.ts';

/** RUN: https://docs.docker.com/reference/dockerfile/#run */
export function parseRun(statement: Statement): RunInstruction {
  const flags = parseFlags(statement, { mount: 'strings', network: 'string', security: 'string', device: 'strings' });
  const mounts: RunMount[] = [];
  for (const word of statement.flags) {
    if (!word.text.startsWith('--mount=')) continue;
    try {
      mounts.push(previewRunMount(word.text.slice('--mount='.length)));
    } catch (error) {
      if (!(error instanceof MountError)) throw error;
      throw fault(statement, error.message, word);
    }
  }
  const choice = <T extends string>(name: string, allowed: readonly T[]): T | undefined => {
    const value = flags.string(name);
    if (value === undefined) return undefined;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) {
      throw fault(statement, `invalid ${name} mode "${value}"${didYouMean(value, allowed)}`, flags.word(name), {
        hint: `Use one of: ${allowed.join(', ')}.`,
      });
    }
    return found;
  };
  const network = choice('network', ['default', 'none', 'host']);
  const security = choice('security', ['sandbox', 'insecure']);
  return {
    kind: 'run',
    ...baseOf(statement),
    ...commandArguments(statement),
    heredocs: statement.heredocs,
    mounts,
    mountTexts: flags.strings('mount'),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
    devices: flags.strings('device'),
  };
}

/** What a RUN executes; see {@link runScript}. */
export type RunScript =
  /** An argument list, run as it is. */
  | { readonly kind: 'args'; readonly args: readonly string[] }
  /** One string for the shell (SHELL, or `/bin/sh -c`). */
  | { readonly kind: 'shell'; readonly text: string }
  /** A heredoc that starts with `#!`: a file with mode 0755 mounted read-only at {@link path}, which is the argument list. */
  | { readonly kind: 'file'; readonly path: string; readonly name: string; readonly content: string };

/**
 * What BuildKit runs, and what its history row holds after the shell: a single heredoc is the command itself, unless it
 * starts with `#!`; heredocs inside a command line are written out again for the shell to read. Variables in a RUN's
 * heredoc are left to the shell.
 */
export function runScript(run: RunInstruction): RunScript {
  if (run.form === 'exec') return { kind: 'args', args: run.args };
  const first = run.heredocs[0];
  if (first === undefined) return { kind: 'shell', text: run.command };
  if (tryHeredocStart(run.command) === undefined) {
    return { kind: 'shell', text: run.command + run.heredocs.map(writtenOut).join('') };
  }
  const content = first.chomp ? chompTabs(first.content) : first.content;
  if (!content.startsWith('#!')) return { kind: 'shell', text: content };
  return { kind: 'file', path: `/dev/pipes/${first.name}`, name: first.name, content };
}

function writtenOut(heredoc: Heredoc): string {
  return `\n${heredoc.content}${heredoc.name}`;
}
