import type { MappingNode } from '../yaml/index.ts';
import type { StepContext } from './step-context.ts';
import type { StepResult } from './step-result.ts';

/** A kind of step that a project file may ask for. */
export interface StepDefinition {
  /** Prefect's name of the function: `build_docker_image`. */
  readonly name: string;
  /** Modules that have the function in Prefect; the first is what messages say. */
  readonly modules: readonly string[];
  /** Names of its inputs. */
  readonly inputs: readonly string[];
  /** Names of its results. */
  readonly results: readonly string[];
  /** It may change files that other steps read, so that nothing else may run beside it. */
  readonly changesFiles: boolean;
  /**
   * Runs it with inputs whose placeholders are filled in. The result, if there is one, is for later steps.
   *
   * @throws LocatedError STEP_INPUT_INVALID, and whatever the step throws
   */
  run(inputs: MappingNode, context: StepContext): Promise<StepResult | undefined>;
}
