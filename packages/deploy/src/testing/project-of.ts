import { type Project, parseProject } from '../project/index.ts';

/** A project file's text as a project. */
export function projectOf(text: string, directory = '/nowhere', file = 'boxwright.yaml'): Project {
  return parseProject(text, { file, directory });
}
