import type { LocatedWarning, MappingNode, Positioned, SourceRange, YamlNode } from '../yaml/index.ts';

/** A project file (`boxwright.yaml`, `prefect.yaml`) as it is written: nothing in it is resolved yet. */
export interface Project {
  /** The file's name for messages, as the user gave it. */
  readonly file: string;
  /** Absolute path of the directory that holds it: where steps begin. */
  readonly directory: string;
  readonly name: Positioned<string> | undefined;
  /** `prefect-version`: which version of Prefect wrote the file. */
  readonly prefectVersion: Positioned<string> | undefined;
  /** The sections at the top, for deployments that have none of their own. */
  readonly build: Section;
  readonly push: Section;
  readonly pull: Section;
  readonly deployments: readonly Deployment[];
  /** What works but may not be meant: unknown keys, words that YAML 1.1 read differently. */
  readonly warnings: readonly LocatedWarning[];
}

/** Steps that run one after the other. */
export interface Section {
  readonly name: SectionName;
  /** Whose steps these are: the deployment's own, those at the top of the file, or nobody's (`none`). */
  readonly origin: 'deployment' | 'project' | 'none';
  readonly steps: readonly Step[];
  /** The key of the section, where there is one. */
  readonly range: SourceRange | undefined;
}

/** Sections, in the order in which they run. */
export type SectionName = 'build' | 'push' | 'pull';

/** One step: `{ name: inputs }`. */
export interface Step {
  /** As written: `prefect_docker.deployments.steps.build_docker_image`, `module:function`. */
  readonly name: Positioned<string>;
  /** Without `id` and `requires`. */
  readonly inputs: MappingNode;
  /** Under which later placeholders find its result. Never a template. */
  readonly id: Positioned<string> | undefined;
  /** Python packages that Prefect would install. */
  readonly requires: readonly Positioned<string>[];
  /** The whole step. */
  readonly range: SourceRange;
}

/** One entry of `deployments`. Its sections are those that apply: its own, else those at the top of the file. */
export interface Deployment {
  /** Place in the file, from 0. */
  readonly index: number;
  readonly range: SourceRange;
  /** Everything as written, keys that are not known included: for templates of what is registered. */
  readonly node: MappingNode;
  readonly name: Positioned<string> | undefined;
  readonly version: Positioned<string> | undefined;
  readonly description: Positioned<string> | undefined;
  readonly flowName: Positioned<string> | undefined;
  /** `path/to/file.py:function` or `package.module.function`. */
  readonly entrypoint: Positioned<string> | undefined;
  /** A list, one text, or a placeholder for either. */
  readonly tags: YamlNode | undefined;
  readonly parameters: YamlNode | undefined;
  /** `schedules`, or `schedule` (one). */
  readonly schedules: YamlNode | undefined;
  readonly workPool: WorkPool | undefined;
  readonly build: Section;
  readonly push: Section;
  readonly pull: Section;
}

/** `work_pool` of a deployment. */
export interface WorkPool {
  readonly range: SourceRange;
  readonly name: Positioned<string> | undefined;
  readonly workQueueName: Positioned<string> | undefined;
  readonly jobVariables: YamlNode | undefined;
}
