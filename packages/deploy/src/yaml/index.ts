export { renderFrame } from './frame.ts';
export { LocatedError, type LocatedWarning } from './located-error.ts';
export {
  describeNode,
  isNull,
  type MappingEntry,
  type MappingNode,
  mappingNode,
  type PlainObject,
  type PlainValue,
  type ScalarNode,
  type SequenceNode,
  scalarNode,
  sequenceNode,
  type YamlNode,
} from './node.ts';
export { maxYamlSize, parseYaml } from './parse-yaml.ts';
export { isPlainObject, plainEntries, plainValue, toPlainValue, valueNode } from './plain-value.ts';
export { isSecretName } from './secret-name.ts';
export type { Position, Positioned, Source, SourceRange } from './source.ts';
