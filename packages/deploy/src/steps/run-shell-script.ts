import { BoxwrightError } from '@boxwright/errors';
import { coreModules } from './core-modules.ts';
import { expandVariables } from './expand-variables.ts';
import { type ProcessResult, runProcess } from './run-process.ts';
import { splitWords } from './split-words.ts';
import { pathInStep, type StepContext } from './step-context.ts';
import { defineStep, type StepDefinition } from './step-definition.ts';
import type { ProgressRow } from './step-progress.ts';

/** What {@link runShellScript} is told: Prefect's `run_shell_script`. */
export interface RunShellScriptOptions {
  /** One command per line. Each line is a process of its own; without `shell` no shell looks at it. */
  readonly script: string;
  /** Default: the directory of the steps. */
  readonly directory?: string | undefined;
  /** Beside the environment. */
  readonly env?: ReadonlyMap<string, string> | undefined;
  /** Shows the output as it comes; default true. */
  readonly streamOutput?: boolean | undefined;
  /** Replaces `$NAME` and `${NAME}` in lines by what the environment has; default false. */
  readonly expandEnvVars?: boolean | undefined;
  /** Has `/bin/sh` read each line: pipes, redirections, variables. Every line is its own shell. Default false. */
  readonly shell?: boolean | undefined;
}

/** What {@link runShellScript} gives: the output of all commands, without white space at both ends. */
export interface RunShellScriptResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** Errors show this much of what a command wrote to standard error. */
const shownTail = 2000;

/**
 * Runs commands, one per line; the first that fails ends the script.
 *
 * @throws BoxwrightError COMMAND_FAILED, COMMAND_INVALID, COMMAND_NOT_FOUND, COMMAND_OUTPUT_TOO_LARGE
 */
export async function runShellScript(
  options: RunShellScriptOptions,
  context: StepContext,
): Promise<RunShellScriptResult> {
  const env = { ...context.env, ...Object.fromEntries(options.env ?? []) };
  const directory = pathInStep(context, options.directory ?? '.');
  const lines = options.script
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const results: ProcessResult[] = [];
  try {
    for (const written of lines) {
      const line = options.expandEnvVars === true ? expandVariables(written, env) : written;
      const [command, args] = commandOf(line, options.shell === true);
      // Shown as written: a variable may hold a secret.
      const result = await context.progress.during(written, async (row) => {
        const done = await runProcess({
          command,
          args,
          directory,
          env,
          signal: context.signal,
          onLine: options.streamOutput === false ? undefined : (text, stream) => row.line(text, stream),
        });
        results.push(done);
        if (done.code !== 0)
          throw failed('run_shell_script', done, results, options.streamOutput === false ? row : undefined);
        return done;
      });
      if (result.code !== 0) break;
    }
  } finally {
    context.cache.filesMayHaveChanged();
  }
  return {
    stdout: results
      .map(({ stdout }) => stdout)
      .join('')
      .trim(),
    stderr: results
      .map(({ stderr }) => stderr)
      .join('')
      .trim(),
  };
}

function commandOf(line: string, shell: boolean): readonly [command: string, args: readonly string[]] {
  if (shell) return ['/bin/sh', ['-c', line]];
  const [command = '', ...args] = splitWords(line);
  return [command, args];
}

/** The error of a command that failed. @param row where its output is shown now, if it was not before */
export function failed(
  step: string,
  { code, stdout, stderr }: ProcessResult,
  all: readonly ProcessResult[],
  row?: ProgressRow,
): BoxwrightError {
  if (row !== undefined) for (const line of `${stdout}\n${stderr}`.split('\n').slice(-50)) row.line(line, 2);
  const errors = all
    .map((result) => result.stderr)
    .join('')
    .trim();
  const tail = errors.length > shownTail ? `…${errors.slice(-shownTail)}` : errors;
  return new BoxwrightError('COMMAND_FAILED', `\`${step}\` failed with error code ${code}: ${tail}`, {
    hint: code === 127 ? 'The shell found no such command.' : undefined,
    details: { exitCode: code },
  });
}

/** The step. */
export const runShellScriptStep: StepDefinition = defineStep({
  name: 'run_shell_script',
  modules: coreModules('utility'),
  inputs: ['script', 'directory', 'env', 'stream_output', 'expand_env_vars', 'shell'],
  results: ['stdout', 'stderr'],
  changesFiles: true,
  read: (inputs): RunShellScriptOptions => ({
    script: inputs.requiredText('script'),
    directory: inputs.text('directory'),
    env: inputs.textMap('env'),
    streamOutput: inputs.boolean('stream_output'),
    expandEnvVars: inputs.boolean('expand_env_vars'),
    shell: inputs.boolean('shell'),
  }),
  run: runShellScript,
});
