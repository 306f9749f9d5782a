export type { Deployment, Project, Section, SectionName, Step, WorkPool } from './project.ts';
