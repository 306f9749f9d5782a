import { closestMatch } from '@boxwright/errors';
import { DockerfileError } from './dockerfile-error.ts';
import { expandInstruction, instructionFault } from './expand.ts';
import type { Dockerfile, Instruction, OnbuildInstruction, Stage } from './instructions.ts';
import { maxTriggers } from './limits.ts';
import type { VariableLookup } from './shell-word.ts';
import { createSource } from './source.ts';

/** What a stage is built on, and what COPY and RUN may read from. */
export type StageSource =
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string }
  /** A named build context. */
  | { readonly kind: 'context'; readonly name: string };

export type StageBase = StageSource | { readonly kind: 'scratch' };

/** A stage that the target needs. */
export interface SelectedStage {
  readonly stage: Stage;
  readonly base: StageBase;
  /** `--platform` of its FROM, expanded. */
  readonly platform?: string;
  /** Triggers that run before the stage's own instructions: of its base stage, or those given in the options. */
  readonly triggers: readonly Instruction[];
  /**
   * Where COPY --from and RUN --mount=from read: one entry for a COPY, one per mount for a RUN. An instruction that reads
   * only the build context (or nothing) has no entry; nor has a mount without `from`.
   */
  readonly sources: ReadonlyMap<Instruction, readonly (StageSource | undefined)[]>;
  /** Indexes of the stages that must be built before: base and sources, each once, ascending. */
  readonly dependencies: readonly number[];
}

/** The stages to build, in file order, which is an order that they can be built in. */
export interface StageSelection {
  readonly target: SelectedStage;
  readonly stages: readonly SelectedStage[];
}

/** How {@link selectStages} resolves names. */
export interface SelectStagesOptions {
  /** Stage name (any case), no number. Default: the last stage. */
  readonly target?: string;
  /** The global scope: what `resolveMetaArgs` gave. */
  readonly metaArgs?: ReadonlyMap<string, string>;
  /** True for names that `--build-context` gives; they hide stages and images of that name. Called with the name as written. */
  readonly isNamedContext?: (name: string) => boolean;
  /** Triggers found in the config of a stage's base image, by stage index. */
  readonly triggers?: ReadonlyMap<number, readonly Instruction[]>;
  /** Select all stages, for `--check`. */
  readonly all?: boolean;
  /** Called for each variable of a FROM that is not set. */
  readonly onUnset?: (name: string, stage: Stage) => void;
}

/**
 * Finds the stages that a target needs, and what each is built on and reads from. Names are case-insensitive; FROM sees
 * the stages above it, a later stage of the same name hides an earlier one; `COPY --from` also takes a stage's number.
 *
 * @throws {DockerfileError} DOCKERFILE_UNKNOWN_STAGE for a target or a number that is not there and for a source that comes
 * later, DOCKERFILE_CIRCULAR_STAGES for one that needs itself, DOCKERFILE_EXPANSION and DOCKERFILE_SYNTAX for a bad FROM.
 */
export function selectStages(dockerfile: Dockerfile, options: SelectStagesOptions = {}): StageSelection {
  const resolver = new Resolver(dockerfile, options);
  const resolved = dockerfile.stages.map((stage) => resolver.resolve(stage));
  refuseCircles(dockerfile, resolved);
  const target = resolved[resolver.targetIndex()];
  if (target === undefined) throw new TypeError('a parsed Dockerfile has a stage');
  const needed = new Set<SelectedStage>();
  const queue = options.all ? [...resolved] : [target];
  for (let stage = queue.pop(); stage !== undefined; stage = queue.pop()) {
    if (needed.has(stage)) continue;
    needed.add(stage);
    refuseLaterSources(dockerfile, stage);
    for (const index of stage.dependencies) {
      const dependency = resolved[index];
      if (dependency !== undefined) queue.push(dependency);
    }
  }
  return { target, stages: resolved.filter((stage) => needed.has(stage)) };
}

class Resolver {
  readonly #dockerfile: Dockerfile;
  readonly #options: SelectStagesOptions;
  /** The last stage of each name: what COPY --from sees. */
  readonly #byName = new Map<string, number>();
  /** The last stage of each name so far: what FROM sees. */
  readonly #above = new Map<string, number>();
  readonly #onbuilds = new Map<number, readonly OnbuildInstruction[]>();
  #triggers = 0;

  constructor(dockerfile: Dockerfile, options: SelectStagesOptions) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    for (const stage of dockerfile.stages) if (stage.name !== undefined) this.#byName.set(stage.name, stage.index);
  }

  targetIndex(): number {
    const { target } = this.#options;
    const { stages } = this.#dockerfile;
    if (target === undefined || target === '') return stages.length - 1;
    const index = this.#byName.get(target.toLowerCase());
    if (index !== undefined) return index;
    throw this.#unknownTarget(target);
  }

  resolve(stage: Stage): SelectedStage {
    const from = expandInstruction(stage.from, this.#lookup(), {
      dockerfile: this.#dockerfile,
      onUnset: (name) => this.#options.onUnset?.(name, stage),
    });
    if (from.image === '') {
      throw this.#fault(
        stage.from,
        'DOCKERFILE_SYNTAX',
        `the image name ${stage.from.image} is empty after expansion`,
        stage.from.image,
      );
    }
    if (from.platform === '') {
      const written = stage.from.platform ?? '';
      throw this.#fault(stage.from, 'DOCKERFILE_SYNTAX', `the platform ${written} is empty after expansion`, written);
    }
    const base = this.#baseOf(stage, from.image);
    if (stage.name !== undefined) this.#above.set(stage.name, stage.index);
    const triggers = [...this.#triggersOf(base), ...(this.#options.triggers?.get(stage.index) ?? [])];
    const sources = new Map<Instruction, readonly (StageSource | undefined)[]>();
    for (const instruction of [...triggers, ...stage.instructions]) {
      const read = this.#sourcesOf(instruction);
      if (read.some((source) => source !== undefined)) sources.set(instruction, read);
    }
    return {
      stage,
      base,
      ...(from.platform === undefined ? {} : { platform: from.platform }),
      triggers,
      sources,
      dependencies: dependenciesOf(base, sources),
    };
  }

  #lookup(): VariableLookup {
    return (name) => this.#options.metaArgs?.get(name);
  }

  #baseOf(stage: Stage, image: string): StageBase {
    // A context named like the stage replaces the stage.
    if (stage.name !== undefined && this.#isContext(stage.name)) return { kind: 'context', name: stage.name };
    const above = this.#above.get(image.toLowerCase());
    if (above !== undefined) return { kind: 'stage', index: above };
    if (image === 'scratch') return { kind: 'scratch' };
    return this.#isContext(image) ? { kind: 'context', name: image } : { kind: 'image', reference: image };
  }

  #isContext(name: string): boolean {
    const lowered = name.toLowerCase();
    return lowered !== 'scratch' && lowered !== 'context' && (this.#options.isNamedContext?.(name) ?? false);
  }

  /** ONBUILD instructions of the stage that a stage is built on; they do not reach further. */
  #triggersOf(base: StageBase): Instruction[] {
    // A stage that a context replaces runs none of its instructions.
    if (base.kind !== 'stage' || this.#isReplaced(base.index)) return [];
    const onbuilds = this.#onbuildsOf(base.index);
    this.#triggers += onbuilds.length;
    const first = onbuilds[0];
    if (first !== undefined && this.#triggers > maxTriggers) {
      throw this.#fault(first, 'DOCKERFILE_TOO_LARGE', `more than ${maxTriggers} ONBUILD triggers would run`, '');
    }
    return onbuilds.map((onbuild) => onbuild.instruction);
  }

  #onbuildsOf(index: number): readonly OnbuildInstruction[] {
    let found = this.#onbuilds.get(index);
    if (found === undefined) {
      const instructions = this.#dockerfile.stages[index]?.instructions ?? [];
      found = instructions.filter((instruction) => instruction.kind === 'onbuild');
      this.#onbuilds.set(index, found);
    }
    return found;
  }

  #isReplaced(index: number): boolean {
    const name = this.#dockerfile.stages[index]?.name;
    return name !== undefined && this.#isContext(name);
  }

  #sourcesOf(instruction: Instruction): readonly (StageSource | undefined)[] {
    if (instruction.kind === 'copy') {
      return instruction.from === undefined ? [] : [this.#source(instruction, instruction.from, true)];
    }
    if (instruction.kind !== 'run') return [];
    return instruction.mounts.map((mount) =>
      mount.from === undefined || mount.from === '' || mount.type === 'tmpfs'
        ? undefined
        : this.#source(instruction, mount.from, false),
    );
  }

  #source(instruction: Instruction, name: string, numbers: boolean): StageSource {
    if (/[$'"]/.test(name) && instruction.kind === 'copy') {
      throw instructionFault(instruction, '--from takes no variables and no quotes', {
        code: 'DOCKERFILE_SYNTAX',
        text: `--from=${name}`,
        hint: 'Define a stage with `FROM $NAME AS stage`, and copy from that.',
        dockerfile: this.#dockerfile,
      });
    }
    const byName = this.#byName.get(name.toLowerCase());
    if (byName !== undefined) return { kind: 'stage', index: byName };
    if (numbers && /^[+-]?\d+$/.test(name)) {
      const index = Number(name);
      if (index >= 0 && index < this.#dockerfile.stages.length) return { kind: 'stage', index };
      throw this.#fault(instruction, 'DOCKERFILE_UNKNOWN_STAGE', `there is no stage ${index}`, `--from=${name}`);
    }
    return this.#isContext(name) ? { kind: 'context', name } : { kind: 'image', reference: name };
  }

  #unknownTarget(target: string): DockerfileError {
    const names = [...this.#byName.keys()];
    const near = closestMatch(target, this.#byName.keys());
    const { file, text, stages } = this.#dockerfile;
    return new DockerfileError(
      'DOCKERFILE_UNKNOWN_STAGE',
      createSource(file, text),
      stages.at(-1)?.from.range ?? { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } },
      `there is no stage "${target}"${near === undefined ? '' : ` (did you mean ${near}?)`}`,
      {
        hint: names.length === 0 ? 'No stage has a name: give it one with AS.' : `Named stages: ${names.join(', ')}.`,
        details: { target, stages: names },
      },
    );
  }

  #fault(
    instruction: Instruction | Stage['from'],
    code: DockerfileError['code'],
    reason: string,
    text: string,
  ): DockerfileError {
    return instructionFault(instruction, reason, { code, text, dockerfile: this.#dockerfile });
  }
}

function dependenciesOf(base: StageBase, sources: SelectedStage['sources']): number[] {
  const indexes = new Set<number>();
  for (const source of [base, ...[...sources.values()].flat()]) {
    if (source?.kind === 'stage') indexes.add(source.index);
  }
  return [...indexes].toSorted((a, b) => a - b);
}

/** A stage may depend on later ones only where it is not built; a circle is refused wherever it is. */
function refuseCircles(dockerfile: Dockerfile, stages: readonly SelectedStage[]): void {
  const done = new Set<number>();
  for (const start of stages) {
    if (done.has(start.stage.index)) continue;
    const path: { stage: SelectedStage; next: number }[] = [{ stage: start, next: 0 }];
    const onPath = new Set([start.stage.index]);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const index = top.stage.dependencies[top.next++];
      if (index === undefined) {
        done.add(top.stage.stage.index);
        onPath.delete(top.stage.stage.index);
        path.pop();
        continue;
      }
      if (onPath.has(index)) throw circle(dockerfile, top.stage, index);
      const stage = stages[index];
      if (stage === undefined || done.has(index)) continue;
      onPath.add(index);
      path.push({ stage, next: 0 });
    }
  }
}

function circle(dockerfile: Dockerfile, stage: SelectedStage, index: number): DockerfileError {
  const instruction = readerOf(stage, index);
  const reason = `stage "${nameOf(stage.stage)}" needs itself`;
  return instructionFault(instruction, reason, { code: 'DOCKERFILE_CIRCULAR_STAGES', dockerfile });
}

function refuseLaterSources(dockerfile: Dockerfile, stage: SelectedStage): void {
  const later = stage.dependencies.find((index) => index >= stage.stage.index);
  if (later === undefined) return;
  const target = dockerfile.stages[later];
  const reason = `stage "${nameOf(stage.stage)}" reads from stage "${target === undefined ? later : nameOf(target)}", which comes later`;
  throw instructionFault(readerOf(stage, later), reason, { code: 'DOCKERFILE_UNKNOWN_STAGE', dockerfile });
}

/** The instruction of a stage that reads from another stage. */
function readerOf(stage: SelectedStage, index: number): Instruction | Stage['from'] {
  for (const [instruction, sources] of stage.sources) {
    if (sources.some((source) => source?.kind === 'stage' && source.index === index)) return instruction;
  }
  return stage.stage.from;
}

/** What messages and progress call a stage: its name, else `stage-N`. */
export function nameOf(stage: Stage): string {
  return stage.name ?? `stage-${stage.index}`;
}
