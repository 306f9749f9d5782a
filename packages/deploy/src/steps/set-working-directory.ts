import { statSync } from 'node:fs';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { coreModules } from './core-modules.ts';
import { pathInStep, type StepContext } from './step-context.ts';
import { defineStep, type StepDefinition } from './step-definition.ts';

/** What {@link setWorkingDirectory} is told: Prefect's `set_working_directory`. */
export interface SetWorkingDirectoryOptions {
  readonly directory: string;
}

/** What {@link setWorkingDirectory} gives. */
export interface SetWorkingDirectoryResult {
  /** Absolute. */
  readonly directory: string;
}

/**
 * Changes the directory of the steps that follow. The process stays where it is: deployments beside this one have
 * directories of their own.
 *
 * @throws BoxwrightError DIRECTORY_NOT_FOUND
 */
export async function setWorkingDirectory(
  { directory }: SetWorkingDirectoryOptions,
  context: StepContext,
): Promise<SetWorkingDirectoryResult> {
  const path = pathInStep(context, directory);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new BoxwrightError('DIRECTORY_NOT_FOUND', `there is no directory ${escapeForTerminal(path)}`, {
      hint: 'A relative path starts at the directory of the project file, or where an earlier step went.',
      details: { path },
    });
  }
  context.directory.path = path;
  return { directory: path };
}

/** The step. */
export const setWorkingDirectoryStep: StepDefinition = defineStep({
  name: 'set_working_directory',
  modules: coreModules('pull'),
  inputs: ['directory'],
  results: ['directory'],
  changesFiles: false,
  read: (inputs): SetWorkingDirectoryOptions => ({ directory: inputs.requiredText('directory') }),
  run: setWorkingDirectory,
});
