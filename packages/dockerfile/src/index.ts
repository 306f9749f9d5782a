export {
  type ArgPlatform,
  type PlatformArgOptions,
  platformArgs,
  platformArgValues,
  proxyArgs,
  type ResolvedArg,
  resolveArgs,
  resolveMetaArgs,
} from './build-args.ts';
export { type CheckOptions, parseCheckOptions } from './check-options.ts';
export { cleanPath } from './clean-path.ts';
export {
  type CopyPattern,
  compileCopyPattern,
  hasWildcard,
  matchCopyPattern,
  splitWildcard,
} from './copy-pattern.ts';
export { DockerfileError, type DockerfileErrorCode } from './dockerfile-error.ts';
export { type ExpandOptions, expandInstruction, type InstructionFaultOptions, instructionFault } from './expand.ts';
export { type IgnoreMatcher, parseIgnoreFile } from './ignore-file.ts';
export type {
  AddInstruction,
  ArgDeclaration,
  ArgInstruction,
  CmdInstruction,
  CopyInstruction,
  Directives,
  Dockerfile,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  FromInstruction,
  HealthcheckInstruction,
  Heredoc,
  InlineFile,
  Instruction,
  InstructionBase,
  InstructionKind,
  KeyValuePair,
  LabelInstruction,
  LintWarning,
  MaintainerInstruction,
  OnbuildInstruction,
  Position,
  RunInstruction,
  RunMount,
  ShellInstruction,
  SourceRange,
  Stage,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from './instructions.ts';
export { undefinedVariable } from './lint.ts';
export { looksSecret } from './lint-stage.ts';
export { type ParseOptions, parseDockerfile, parseTrigger } from './parse-dockerfile.ts';
export { instructionNames } from './parse-instruction.ts';
export { type RunScript, runScript } from './parse-run.ts';
export { createPatternMatcher, type PatternMatcher, type PatternSource } from './pattern-matcher.ts';
export { parsePortSpec } from './ports.ts';
export { parseDuration, parseRamSize } from './quantities.ts';
export { type ExpandedWord, expandWord, type VariableLookup, WordError, type WordOptions } from './shell-word.ts';
export {
  nameOf,
  type SelectedStage,
  type SelectStagesOptions,
  type StageBase,
  type StageSelection,
  type StageSource,
  selectStages,
} from './stages.ts';
