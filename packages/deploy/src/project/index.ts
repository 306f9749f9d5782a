export type { Deployment, Project, Section, SectionName, Step, WorkPool } from './project.ts';
export {
  findProjectFile,
  type ParseProjectOptions,
  parseProject,
  projectFileNames,
  readProject,
} from './read-project.ts';
