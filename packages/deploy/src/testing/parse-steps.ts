import { type Project, parseProject, type Step } from '../project/index.ts';

/** A project file's text as a project. */
export function projectOf(text: string, directory = '/nowhere', file = 'boxwright.yaml'): Project {
  return parseProject(text, { file, directory });
}

/** The build steps of a text that holds a list of steps. */
export function stepsOf(text: string): readonly Step[] {
  const indented = text
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return projectOf(`build:\n${indented}\n`).build.steps;
}
