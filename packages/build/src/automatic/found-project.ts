import type { DockerfileWriter } from '../builder/dockerfile-writer.ts';

/** What a project is built with. */
export type ProjectKind = 'prefect' | 'uv' | 'poetry' | 'pip' | 'pnpm' | 'yarn' | 'npm' | 'bun' | 'go' | 'static';

/** All kinds, in no order that matters. */
export const projectKinds: readonly ProjectKind[] = [
  'prefect',
  'uv',
  'poetry',
  'pip',
  'pnpm',
  'yarn',
  'npm',
  'bun',
  'go',
  'static',
];

/** What was made of a project. */
export interface DraftedDockerfile {
  readonly writer: DockerfileWriter;
  /** What should not be sent to the build, when the project has no `.dockerignore`: lines of one. */
  readonly ignored: readonly string[];
  /** What whoever uses it should know: sentences. */
  readonly notes: readonly string[];
}
