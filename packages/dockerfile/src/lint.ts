import { closestMatch } from '@boxwright/errors';
import { platformArgs, resolveMetaArgs } from './build-args.ts';
import type { CheckOptions } from './check-options.ts';
import { DockerfileError } from './dockerfile-error.ts';
import type { Dockerfile, FromInstruction, Instruction, LintWarning, Stage } from './instructions.ts';
import { type Inherited, lintStage, nothingInherited } from './lint-stage.ts';
import { expandWord, WordError } from './shell-word.ts';

/**
 * The warnings that need nothing but the text, in the order of lines: BuildKit's rules
 * (https://docs.docker.com/reference/build-checks/) less those that need the base image's environment (UndefinedVar, see
 * {@link undefinedVariable}), its platform, or the context.
 *
 * @param found what the parser noticed.
 */
export function lintDockerfile(
  dockerfile: Dockerfile,
  found: readonly LintWarning[],
  options: CheckOptions,
): readonly LintWarning[] {
  if (options.skip === 'all') return [];
  const { skip } = options;
  const all = [
    ...found,
    ...lintStageNames(dockerfile.stages),
    ...lintCasing(dockerfile.stages),
    ...lintFromArguments(dockerfile),
    ...lintMaintainers(dockerfile.stages),
    ...lintStages(dockerfile.stages),
  ];
  return all
    .filter((warning) => !skip.has(warning.rule))
    .sort((a, b) => a.range.start.line - b.range.start.line || a.range.start.column - b.range.start.column);
}

/**
 * A warning of the rule UndefinedVar, for whoever expands: `onUnset` of expandInstruction names the variables.
 *
 * @param known names that are set, for a suggestion.
 */
export function undefinedVariable(instruction: Instruction, name: string, known: Iterable<string>): LintWarning {
  const near = closestMatch(name, known);
  return {
    rule: 'UndefinedVar',
    message: `Variable $${name} is used but not set${near === undefined ? '' : ` (did you mean $${near}?)`}`,
    range: instruction.range,
  };
}

function lintStages(stages: readonly Stage[]): LintWarning[] {
  const named = new Map<string, Inherited>();
  return stages.flatMap((stage) => {
    const { warnings, handsOn } = lintStage(stage, named.get(stage.from.image.toLowerCase()) ?? nothingInherited);
    if (stage.name !== undefined) named.set(stage.name, handsOn);
    return warnings;
  });
}

function lintMaintainers(stages: readonly Stage[]): LintWarning[] {
  return stages
    .flatMap((stage) => stage.instructions)
    .filter((instruction) => instruction.kind === 'maintainer')
    .map(({ range }) => ({
      rule: 'MaintainerDeprecated',
      message: 'MAINTAINER is deprecated: use LABEL org.opencontainers.image.authors',
      range,
    }));
}

function lintStageNames(stages: readonly Stage[]): LintWarning[] {
  const warnings: LintWarning[] = [];
  const seen = new Set<string>();
  for (const { name, from } of stages) {
    if (name === undefined || from.as === undefined) continue;
    const warn = (rule: string, message: string): number => warnings.push({ rule, message, range: from.range });
    if (from.as !== name) warn('StageNameCasing', `Stage name "${from.as}" is not lower case`);
    if (name === 'scratch' || name === 'context') {
      warn('ReservedStageName', `Stage name "${name}" has a meaning of its own and should not be used`);
    }
    if (seen.has(name)) warn('DuplicateStageName', `Two stages are named "${name}"`);
    seen.add(name);
  }
  return warnings;
}

/** The instruction word as written. */
function writtenName(instruction: Instruction | FromInstruction): string {
  return instruction.original.slice(0, instruction.name.length);
}

function lintCasing(stages: readonly Stage[]): LintWarning[] {
  const instructions = stages.flatMap((stage) => [stage.from, ...stage.instructions]);
  let majority = 0;
  for (const instruction of instructions) {
    const word = writtenName(instruction);
    if (word === word.toLowerCase()) majority++;
    else if (word === instruction.name) majority--;
  }
  const lower = majority > 0;
  const warnings: LintWarning[] = [];
  for (const instruction of instructions) {
    const word = writtenName(instruction);
    if (word !== (lower ? word.toLowerCase() : instruction.name)) {
      warnings.push({
        rule: 'ConsistentInstructionCasing',
        message: `Instruction "${word}" is not written in ${lower ? 'lower' : 'upper'} case like most of the others`,
        range: instruction.range,
      });
    }
    if (instruction.kind === 'from' && instruction.as !== undefined) warnings.push(...lintAs(instruction, word));
  }
  return warnings;
}

function lintAs(from: FromInstruction, word: string): LintWarning[] {
  const as =
    from.original.split(/[\s\\`]+/).findLast((part) => part.toLowerCase() === 'as' && part !== from.as) ?? 'AS';
  const differs =
    (word === word.toLowerCase() && as !== as.toLowerCase()) || (word === from.name && as !== as.toUpperCase());
  if (!differs) return [];
  return [{ rule: 'FromAsCasing', message: `"${word}" and "${as}" are written in different case`, range: from.range }];
}

function lintFromArguments(dockerfile: Dockerfile): LintWarning[] {
  const declared = new Set(platformArgs);
  for (const arg of dockerfile.metaArgs) for (const { key } of arg.args) declared.add(key);
  const defaults = defaultScope(dockerfile);
  const warnings: LintWarning[] = [];
  for (const { from, name } of dockerfile.stages) {
    const warn = (rule: string, message: string): number => warnings.push({ rule, message, range: from.range });
    for (const variable of undeclared(`${from.image} ${from.platform ?? ''}`, declared, dockerfile)) {
      const near = closestMatch(variable, declared);
      const suggestion = near === undefined ? '' : ` (did you mean ${near}?)`;
      warn('UndefinedArgInFrom', `FROM uses "${variable}", which no ARG above the first FROM declares${suggestion}`);
    }
    if (/^"?\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})"?$/.test(from.platform ?? '')) {
      warn('RedundantTargetPlatform', `--platform=${from.platform} is what FROM does anyway`);
    }
    if (from.platform !== undefined && !from.platform.includes('$') && !namesPlatform(name ?? '', from.platform)) {
      warn('FromPlatformFlagConstDisallowed', `FROM is bound to the platform "${from.platform}"`);
    }
    if (from.image.includes('$') && !defaultIsReference(dockerfile, from, defaults)) {
      warn('InvalidDefaultArgInFrom', `Without build arguments "${from.image}" is no image name`);
    }
  }
  return warnings;
}

/** Variables that are neither declared nor set by the builder. */
function undeclared(text: string, declared: ReadonlySet<string>, dockerfile: Dockerfile): readonly string[] {
  const { escape } = dockerfile.directives;
  try {
    return [...expandWord(text, (name) => (declared.has(name) ? 'x' : undefined), { escape }).unmatched];
  } catch (error) {
    // What cannot be expanded is reported when the stage is resolved.
    if (error instanceof WordError) return [];
    throw error;
  }
}

/** A stage whose name says its platform may be bound to it. */
function namesPlatform(name: string, platform: string): boolean {
  return platform
    .split('/')
    .slice(0, 2)
    .some((part) => part !== '' && name.includes(part));
}

const reference =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|__?|-+|\/)[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9+._-]+:[0-9a-f]{32,})?$/;

/** The global scope without build arguments; empty when a default cannot be expanded, which is reported elsewhere. */
function defaultScope(dockerfile: Dockerfile): ReadonlyMap<string, string> {
  try {
    return resolveMetaArgs(dockerfile, {
      buildArgs: new Map(),
      platformArgs: new Map(platformArgs.map((name) => [name, 'x'])),
    });
  } catch (error) {
    if (error instanceof DockerfileError) return new Map();
    throw error;
  }
}

function defaultIsReference(
  dockerfile: Dockerfile,
  from: FromInstruction,
  scope: ReadonlyMap<string, string>,
): boolean {
  const { escape } = dockerfile.directives;
  try {
    return reference.test(expandWord(from.image, (name) => scope.get(name), { escape }).text);
  } catch (error) {
    if (error instanceof WordError) return true;
    throw error;
  }
}
