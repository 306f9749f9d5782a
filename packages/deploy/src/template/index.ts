export { followPath, type PathResult } from './data-path.ts';
export { type FoundPlaceholder, findPlaceholders } from './find-placeholders.ts';
export type { Lookup, TemplateResolver } from './lookup.ts';
export { pythonText } from './python-text.ts';
export {
  type BlockReference,
  type EnvReference,
  type InvalidReference,
  parseReference,
  type Reference,
  referenceText,
  type StepReference,
  type VariableReference,
} from './reference.ts';
export { type ResolveOptions, resolveNode, resolveText } from './resolve.ts';
export { StepOutputs } from './step-outputs.ts';
export { type Placeholder, parseTemplate, type Template } from './template.ts';
