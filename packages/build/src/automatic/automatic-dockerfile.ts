import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import { type DraftedDockerfile, type ProjectKind, projectKinds } from './found-project.ts';
import { goDockerfile } from './go-dockerfile.ts';
import { nodeDockerfile } from './node-dockerfile.ts';
import { type NodeProject, nodeProject } from './node-project.ts';
import { isFlowProject, type PrefectImageOptions, prefectDockerfile } from './prefect-dockerfile.ts';
import { ProjectFiles } from './project-files.ts';
import { pipDockerfile, poetryDockerfile, uvDockerfile } from './python-dockerfile.ts';
import { pyproject } from './python-project.ts';
import { staticDirectory, staticDockerfile } from './static-dockerfile.ts';

/** How {@link automaticDockerfile} chooses. */
export interface AutomaticOptions extends PrefectImageOptions {
  /** Takes the project for one of this kind; default: what its files say. */
  readonly kind?: ProjectKind;
}

/** A Dockerfile that was made for a project. */
export interface AutomaticDockerfile {
  readonly kind: ProjectKind;
  /** The lines; more can be added. */
  readonly writer: DockerfileWriter;
  /** The text, as the writer had it. */
  readonly text: string;
  /** The `.dockerignore` to build it with; undefined when the project has one, or Prefect's form has none. */
  readonly ignoreText: string | undefined;
  /** What whoever uses it should know: sentences. */
  readonly notes: readonly string[];
}

/** What no image should have. */
const alwaysIgnored = ['.git', '.dockerignore', 'Dockerfile*', '**/.DS_Store', '.env', '.env.*', '!.env.example'];

/**
 * Makes a Dockerfile for what a directory holds: a Python project of Prefect flows (Prefect's form), uv, Poetry, pip, pnpm, Yarn,
 * npm, Bun, Go, or static pages. Dependencies come first, so that they are installed again only when they change; package caches
 * are mounts; nobody runs as root; commands are in exec form. Nothing is written and nothing is run.
 *
 * @throws BoxwrightError AUTOMATIC_UNKNOWN when nothing says what the project is; CONTEXT_NOT_FOUND; VERSION_INVALID
 */
export function automaticDockerfile(directory: string, options: AutomaticOptions = {}): AutomaticDockerfile {
  const files = new ProjectFiles(directory);
  const node = nodeProject(files);
  const kind = options.kind ?? detectKind(files, node);
  const { writer, ignored, notes } = draft(kind, files, node, options);
  const ignores = kind !== 'prefect' && !files.has('.dockerignore');
  return {
    kind,
    writer,
    text: writer.dockerfile,
    ignoreText: ignores ? [...alwaysIgnored, ...ignored, ''].join('\n') : undefined,
    notes: [...notes, ...otherParts(kind, files, node)],
  };
}

function detectKind(files: ProjectFiles, node: NodeProject | undefined): ProjectKind {
  const sections = pyproject(files);
  const isPython = sections.has('project') || files.has('requirements.txt') || files.has('setup.py');
  if (isFlowProject(files)) return 'prefect';
  if (files.has('go.mod')) return 'go';
  if (files.has('uv.lock') && files.has('pyproject.toml')) return 'uv';
  if (files.has('pyproject.toml') && (files.has('poetry.lock') || sections.has('tool.poetry'))) return 'poetry';
  if (isPython) return 'pip';
  if (node !== undefined) return node.manager;
  if (staticDirectory(files) !== undefined) return 'static';
  throw unknown(files);
}

function draft(
  kind: ProjectKind,
  files: ProjectFiles,
  node: NodeProject | undefined,
  options: AutomaticOptions,
): DraftedDockerfile {
  switch (kind) {
    case 'prefect':
      return prefectDockerfile(files, options);
    case 'uv':
      return uvDockerfile(files);
    case 'poetry':
      return poetryDockerfile(files);
    case 'pip':
      return pipDockerfile(files);
    case 'go':
      return goDockerfile(files);
    case 'static':
      return staticDockerfile(staticDirectory(files) ?? '.');
    case 'npm':
    case 'pnpm':
    case 'yarn':
    case 'bun':
      if (node === undefined) throw unknown(files, 'package.json');
      return nodeDockerfile(
        files,
        node.manager === kind ? node : { ...node, manager: kind, managerVersion: undefined, lockFile: undefined },
      );
    default:
      throw new TypeError('unknown kind of project', { cause: kind satisfies never });
  }
}

/** A project of two languages gets a Dockerfile for one of them. */
function otherParts(kind: ProjectKind, files: ProjectFiles, node: NodeProject | undefined): readonly string[] {
  const isNode = kind === 'npm' || kind === 'pnpm' || kind === 'yarn' || kind === 'bun';
  return isNode || kind === 'static' || node === undefined || !files.has('package.json')
    ? []
    : ['There is a package.json too: what it builds is not built here.'];
}

function unknown(files: ProjectFiles, missing?: string): BoxwrightError {
  const why = missing === undefined ? 'nothing in it says how' : `it has no ${missing}`;
  return new BoxwrightError(
    'AUTOMATIC_UNKNOWN',
    `no Dockerfile can be made for ${escapeForTerminal(files.directory)}: ${why}`,
    {
      hint: `Write a Dockerfile, or say what it is: ${projectKinds.join(', ')}.`,
      details: { directory: files.directory },
    },
  );
}
