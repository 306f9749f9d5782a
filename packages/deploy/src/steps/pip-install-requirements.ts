import { coreModules } from './core-modules.ts';
import { runProcess } from './run-process.ts';
import { failed } from './run-shell-script.ts';
import { pathInStep, type StepContext } from './step-context.ts';
import { defineStep, type StepDefinition } from './step-definition.ts';

/** What {@link pipInstallRequirements} is told: Prefect's `pip_install_requirements`. */
export interface PipInstallRequirementsOptions {
  /** Default: the directory of the steps. */
  readonly directory?: string | undefined;
  /** Default `requirements.txt`. */
  readonly requirementsFile?: string | undefined;
  readonly streamOutput?: boolean | undefined;
}

/** What {@link pipInstallRequirements} gives: the output of pip. */
export interface PipInstallRequirementsResult {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Installs Python packages with the `python3` of the environment's PATH, or the one that the variable PYTHON names.
 *
 * @throws BoxwrightError COMMAND_FAILED, COMMAND_NOT_FOUND
 */
export async function pipInstallRequirements(
  options: PipInstallRequirementsOptions,
  context: StepContext,
): Promise<PipInstallRequirementsResult> {
  const { requirementsFile = 'requirements.txt', streamOutput = true } = options;
  const directory = pathInStep(context, options.directory ?? '.');
  const command = context.env['PYTHON'] || 'python3';
  try {
    return await context.progress.during(`pip install -r ${requirementsFile}`, async (row) => {
      const result = await runProcess({
        command,
        args: ['-m', 'pip', 'install', '-r', requirementsFile],
        directory,
        env: context.env,
        signal: context.signal,
        onLine: streamOutput ? (line, stream) => row.line(line, stream) : undefined,
      });
      if (result.code !== 0) {
        throw failed('pip_install_requirements', result, [result], streamOutput ? undefined : row);
      }
      return { stdout: result.stdout.trim(), stderr: result.stderr.trim() };
    });
  } finally {
    context.cache.filesMayHaveChanged();
  }
}

/** The step. */
export const pipInstallRequirementsStep: StepDefinition = defineStep({
  name: 'pip_install_requirements',
  modules: coreModules('utility'),
  inputs: ['directory', 'requirements_file', 'stream_output'],
  results: ['stdout', 'stderr'],
  changesFiles: true,
  read: (inputs): PipInstallRequirementsOptions => ({
    directory: inputs.text('directory'),
    requirementsFile: inputs.text('requirements_file'),
    streamOutput: inputs.boolean('stream_output'),
  }),
  run: pipInstallRequirements,
});
