import {
  type Dockerfile,
  DockerfileError,
  type FromInstruction,
  type Instruction,
  instructionFault,
  type LintWarning,
  parseTrigger,
  platformArgValues,
  proxyArgs,
  resolveMetaArgs,
  type SelectedStage,
  type StageSelection,
  type StageSource,
  selectStages,
  undefinedVariable,
} from '@boxwright/dockerfile';
import { BoxwrightError, isBoxwrightError } from '@boxwright/errors';
import { type Platform, parsePlatform } from '@boxwright/oci';
import type { BuildRequest, NamedContext } from '../engine/engine.ts';
import type { BaseImage, BaseImages } from './base-image.ts';
import { DEFAULT_PATH, emptyImageState, envKey, type ImageState } from './image-state.ts';
import type { FileSource } from './operation.ts';
import { resolveWorkdir } from './paths.ts';
import type { Plan, PlannedStage, StageBase } from './plan.ts';
import { type EvaluationContext, StageEvaluation } from './stage-evaluation.ts';
import { StageScope } from './stage-scope.ts';

/** What of a build request the planner reads. */
export type PlanRequest = Pick<
  BuildRequest,
  'target' | 'buildArgs' | 'labels' | 'noCache' | 'namedContexts' | 'network' | 'extraHosts' | 'sourceDateEpoch'
>;

/** What the planner is given beside the Dockerfile. */
export interface PlanOptions {
  readonly request: PlanRequest;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly images: BaseImages;
  /** A finding about a stage that is built. */
  readonly onWarning?: (warning: LintWarning) => void;
}

/**
 * Turns a Dockerfile into the graph of what has to be done: only the stages that the target needs, variables expanded,
 * images resolved, triggers of ONBUILD put in front. Nothing is executed and no context file is read.
 *
 * @throws DockerfileError with the place in the file; what `images` throws, located the same way
 */
export async function planBuild(dockerfile: Dockerfile, options: PlanOptions): Promise<Plan> {
  return new Planner(dockerfile, options).plan();
}

/** A stage that has been evaluated, for those built on it. */
interface EvaluatedStage {
  readonly index: number;
  readonly image: ImageState;
  readonly scope: StageScope;
}

/** What a stage starts from. */
interface StartingPoint {
  readonly base: StageBase;
  readonly image: ImageState;
  readonly scope: StageScope | undefined;
}

class Planner {
  readonly #dockerfile: Dockerfile;
  readonly #options: PlanOptions;
  readonly #globalArgs: ReadonlyMap<string, string>;
  readonly #stages: PlannedStage[] = [];
  /** By number in the Dockerfile. */
  readonly #evaluated = new Map<number, EvaluatedStage>();
  /** Images of FROM, by number of the stage. */
  readonly #bases = new Map<number, BaseImage>();
  /** Images and named contexts that only `--from` names. */
  readonly #foreign = new Map<string, FileSource>();

  constructor(dockerfile: Dockerfile, options: PlanOptions) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    const { request, buildPlatform, targetPlatform } = options;
    const targetStage = request.target ?? dockerfile.stages.at(-1)?.name ?? '';
    this.#globalArgs = resolveMetaArgs(dockerfile, {
      buildArgs: request.buildArgs,
      platformArgs: platformArgValues({ buildPlatform, targetPlatform, targetStage, buildArgs: request.buildArgs }),
    });
  }

  async plan(): Promise<Plan> {
    const selection = await this.#select();
    const built = new Set(selection.stages.map(({ stage }) => stage.index));
    for (const warning of this.#dockerfile.warnings) {
      if (warning.stage === undefined || built.has(warning.stage)) this.#options.onWarning?.(warning);
    }
    for (const selected of selection.stages) await this.#evaluate(selected);
    const target = this.#evaluated.get(selection.target.stage.index)?.index ?? 0;
    return { stages: this.#stages.map((stage, at) => (at === target ? this.#withLabels(stage) : stage)), target };
  }

  /** Triggers of a base image may need further stages, whose images may have triggers: repeated until nothing is new. */
  async #select(): Promise<StageSelection> {
    const { target, namedContexts } = this.#options.request;
    const triggers = new Map<number, readonly Instruction[]>();
    for (;;) {
      const selection = selectStages(this.#dockerfile, {
        ...(target === undefined ? {} : { target }),
        metaArgs: this.#globalArgs,
        isNamedContext: (name) => namedContexts.has(name) || namedContexts.has(name.toLowerCase()),
        triggers,
      });
      let isComplete = true;
      for (const selected of selection.stages) {
        const { index, from } = selected.stage;
        if (this.#bases.has(index) || !isImage(selected.base)) continue;
        const base = await this.#located(from, () => this.#resolveImage(selected));
        if (base === undefined) continue;
        this.#bases.set(index, base);
        const { onBuild } = base.state.settings;
        if (onBuild.length === 0) continue;
        triggers.set(
          index,
          onBuild.map((text) => parseTrigger(text, `ONBUILD of ${base.name}`)),
        );
        isComplete = false;
      }
      if (isComplete) return selection;
    }
  }

  /** The image of a FROM; undefined when it is a directory. */
  async #resolveImage(selected: SelectedStage): Promise<BaseImage | undefined> {
    const { base } = selected;
    const named = base.kind === 'context' ? this.#namedContext(base.name) : undefined;
    if (named?.kind === 'directory') return undefined;
    const name = named ?? (base.kind === 'image' ? base.reference : '');
    return this.#options.images.resolve(name, this.#platformOf(selected));
  }

  #platformOf({ platform }: SelectedStage): Platform {
    return platform === undefined ? this.#options.targetPlatform : parsePlatform(platform);
  }

  #namedContext(name: string): NamedContext | undefined {
    const { namedContexts } = this.#options.request;
    return namedContexts.get(name) ?? namedContexts.get(name.toLowerCase());
  }

  async #evaluate(selected: SelectedStage): Promise<void> {
    const { stage, triggers } = selected;
    const start = await this.#located(stage.from, async () => this.#start(selected));
    const sources = await this.#sources(selected);
    const scope = new StageScope(start.scope, start.image.settings.env);
    const evaluation = new StageEvaluation(this.#context(sources), stage.from, start.image, scope);
    // What a context stands in for runs none of the stage's instructions.
    const isReplaced = selected.base.kind === 'context' && stage.name === selected.base.name;
    if (!isReplaced) {
      for (const trigger of triggers) await this.#located(stage.from, async () => evaluation.dispatch(trigger, true));
      for (const instruction of stage.instructions)
        await this.#located(instruction, async () => evaluation.dispatch(instruction, false));
    }
    const { noCache } = this.#options.request;
    this.#evaluated.set(stage.index, { index: this.#stages.length, image: evaluation.image, scope });
    this.#stages.push({
      displayName: this.#dockerfile.stages.length === 1 ? '' : (stage.name ?? `stage-${stage.index}`),
      base: start.base,
      steps: evaluation.steps,
      image: evaluation.image,
      noCache: typeof noCache === 'boolean' ? noCache : noCache.some((name) => name.toLowerCase() === stage.name),
    });
  }

  #start(selected: SelectedStage): StartingPoint {
    const { base } = selected;
    if (base.kind === 'scratch') return { base, image: emptyImageState(this.#platformOf(selected)), scope: undefined };
    if (base.kind === 'stage') {
      const parent = this.#evaluated.get(base.index);
      if (parent === undefined) throw new TypeError(`stage ${base.index} has not been evaluated`);
      return {
        base: { kind: 'stage', stage: parent.index },
        image: withoutTriggers(parent.image),
        scope: parent.scope,
      };
    }
    const image = this.#bases.get(selected.stage.index);
    if (image !== undefined) return { base: layersOf(image), image: startedFrom(image.state), scope: undefined };
    const named = base.kind === 'context' ? this.#namedContext(base.name) : undefined;
    if (named?.kind !== 'directory') throw new TypeError(`no image for stage ${selected.stage.index}`);
    return {
      base: { kind: 'named-directory', path: named.path },
      image: emptyImageState(this.#platformOf(selected)),
      scope: undefined,
    };
  }

  #context(sources: ReadonlyMap<string, FileSource>): EvaluationContext {
    const { buildArgs, network, extraHosts, sourceDateEpoch } = this.#options.request;
    return {
      dockerfile: this.#dockerfile,
      globalArgs: this.#globalArgs,
      buildArgs,
      proxyEnv: proxyEnvironment(buildArgs),
      network,
      extraHosts,
      created:
        sourceDateEpoch === undefined
          ? undefined
          : new Date(sourceDateEpoch * 1000).toISOString().replace('.000Z', 'Z'),
      onUnset: (name, instruction, known) => this.#options.onWarning?.(undefinedVariable(instruction, name, known)),
      resolveSource: (name) => {
        const source = sources.get(name);
        if (source !== undefined) return source;
        throw new BoxwrightError('DOCKERFILE_FROM_VARIABLE', `variable expansion is not supported in from: ${name}`, {
          hint: 'define a stage with FROM using an ARG of the global scope, and name that stage',
        });
      },
    };
  }

  /** Resolves whatever `--from` and `from=` name, so that evaluation itself is synchronous. */
  async #sources(selected: SelectedStage): Promise<ReadonlyMap<string, FileSource>> {
    const sources = new Map<string, FileSource>();
    for (const [instruction, found] of selected.sources) {
      const names = namesIn(instruction);
      for (const [at, source] of found.entries()) {
        const name = names[at];
        if (source === undefined || name === undefined || sources.has(name)) continue;
        sources.set(name, await this.#located(instruction, () => this.#source(source)));
      }
    }
    return sources;
  }

  async #source(source: StageSource): Promise<FileSource> {
    if (source.kind === 'stage') {
      const evaluated = this.#evaluated.get(source.index);
      if (evaluated === undefined) throw new TypeError(`stage ${source.index} has not been evaluated`);
      return { kind: 'stage', stage: evaluated.index };
    }
    const named = source.kind === 'context' ? this.#namedContext(source.name) : undefined;
    if (named?.kind === 'directory') return { kind: 'named-directory', path: named.path };
    const key = JSON.stringify(source);
    const known =
      this.#foreign.get(key) ??
      (await this.#foreignImage(named ?? (source.kind === 'image' ? source.reference : source.name)));
    this.#foreign.set(key, known);
    return known;
  }

  async #foreignImage(name: string | NamedContext): Promise<FileSource> {
    const { targetPlatform, images } = this.#options;
    const isScratch = name === 'scratch';
    const image = isScratch ? undefined : await images.resolve(name, targetPlatform);
    this.#stages.push({
      displayName: '',
      base: image === undefined ? { kind: 'scratch' } : layersOf(image),
      steps: [],
      image: image?.state ?? emptyImageState(targetPlatform),
      noCache: false,
    });
    return { kind: 'stage', stage: this.#stages.length - 1 };
  }

  #withLabels(stage: PlannedStage): PlannedStage {
    const { labels } = this.#options.request;
    if (labels.size === 0) return stage;
    const { settings } = stage.image;
    return {
      ...stage,
      image: { ...stage.image, settings: { ...settings, labels: new Map([...settings.labels, ...labels]) } },
    };
  }

  /** Errors say which instruction they come from. */
  async #located<T>(instruction: Instruction | FromInstruction, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw locateError(error, this.#dockerfile, instruction);
    }
  }
}

/** The error with its place in the Dockerfile, unless it has one already or is none of ours. */
export function locateError(
  error: unknown,
  dockerfile: Dockerfile,
  instruction: Instruction | FromInstruction,
): unknown {
  if (error instanceof DockerfileError || !isBoxwrightError(error)) return error;
  const { code, message, hint, details } = error;
  return instructionFault(instruction, message, { code, hint, details, cause: error, dockerfile });
}

function isImage(base: SelectedStage['base']): boolean {
  return base.kind === 'image' || base.kind === 'context';
}

function layersOf(image: BaseImage): StageBase {
  return image.layers.length === 0 ? { kind: 'scratch' } : { kind: 'image', name: image.name, layers: image.layers };
}

/** Names in `--from` and `from=`, as written, by position. */
function namesIn(instruction: Instruction): readonly (string | undefined)[] {
  if (instruction.kind === 'copy') return [instruction.from];
  return instruction.kind === 'run' ? instruction.mounts.map(({ from }) => from) : [];
}

/** Proxy build arguments as environment of RUN (Dockerfile reference, "Predefined ARGs"). */
function proxyEnvironment(buildArgs: ReadonlyMap<string, string>): readonly string[] {
  return proxyArgs.flatMap((name) => {
    const value = buildArgs.get(name) ?? buildArgs.get(name.toUpperCase()) ?? buildArgs.get(name.toLowerCase());
    return value === undefined || value === '' ? [] : [`${name}=${value}`];
  });
}

/** What BuildKit does to a base's config first: a PATH, a normalised working directory, no triggers. */
function startedFrom(base: ImageState): ImageState {
  const { settings } = base;
  const hasPath = settings.env.some((entry) => envKey(entry) === 'PATH');
  const env = hasPath ? settings.env : [...settings.env, `PATH=${DEFAULT_PATH}`];
  const workingDir = settings.workingDir === '' ? '' : resolveWorkdir('', settings.workingDir);
  return withoutTriggers({ ...base, settings: { ...settings, env, workingDir } });
}

function withoutTriggers(image: ImageState): ImageState {
  return { ...image, settings: { ...image.settings, onBuild: [] } };
}
