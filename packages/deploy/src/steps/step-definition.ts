import type { MappingNode } from '../yaml/index.ts';
import type { StepContext } from './step-context.ts';
import { StepInputs } from './step-inputs.ts';
import { resultValues, type StepResult } from './step-result.ts';

/** What reading the inputs of a step may look at. */
export type ReadContext = Pick<StepContext, 'env' | 'directory' | 'redactor'>;

/** What a kind of step is called. */
interface StepNames {
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
}

/** A kind of step that a project file may ask for. */
export interface StepDefinition extends StepNames {
  /**
   * Checks inputs before anything runs.
   *
   * @param inputs without those that only the results of other steps will tell
   * @param untold names of those
   * @throws BoxwrightError as `run` for inputs that are wrong
   */
  check(inputs: MappingNode, context: ReadContext, untold: ReadonlySet<string>): void;
  /**
   * Runs it with inputs whose placeholders are filled in. The result is for later steps.
   *
   * @throws LocatedError STEP_INPUT_INVALID, and whatever the step throws
   */
  run(inputs: MappingNode, context: StepContext): Promise<StepResult>;
}

/** How a kind of step reads its inputs and what it does. */
export interface StepParts<Options> extends StepNames {
  /** @throws BoxwrightError STEP_INPUT_INVALID and others, for everything that the inputs alone show to be wrong */
  readonly read: (inputs: StepInputs, context: ReadContext) => Options;
  readonly run: (options: Options, context: StepContext) => Promise<object>;
}

/** A kind of step: its inputs are read in the same way when they are checked and when it runs. */
export function defineStep<Options>({ read, run, ...names }: StepParts<Options>): StepDefinition {
  const options = (node: MappingNode, context: ReadContext, untold?: ReadonlySet<string>): Options => {
    const inputs = new StepInputs(names.name, node, untold);
    inputs.refuseUnknown(names.inputs);
    return read(inputs, context);
  };
  return {
    ...names,
    check: (node, context, untold) => void options(node, context, untold),
    run: async (node, context) => resultValues(await run(options(node, context), context)),
  };
}
