import { parseIgnoreFile } from '@boxwright/dockerfile';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { DockerfileWriter } from '../builder/dockerfile-writer.ts';
import type { DraftedDockerfile, ProjectKind } from './found-project.ts';
import { goDockerfile } from './go-dockerfile.ts';
import { nodeDockerfile } from './node-dockerfile.ts';
import { type NodeProject, nodeLockFiles, nodeProject } from './node-project.ts';
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

/** What no image should have, and what an image has of its own. */
const alwaysIgnored = [
  '**/.git',
  '.dockerignore',
  'Dockerfile*',
  '**/.DS_Store',
  '**/node_modules',
  '**/.venv',
  '**/__pycache__',
  '**/.env',
  '**/.env.*',
  '!**/.env.example',
];

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
    ignoreText: ignores ? [...ignored, ...alwaysIgnored, ''].join('\n') : undefined,
    notes: [...notes, ...otherParts(kind, files, node), ...letIn(kind, files)],
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
  // A package.json that is none: what lies beside it are hardly finished pages.
  if (files.has('package.json')) throw unknown(files);
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
      if (node === undefined) throw unknown(files);
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

/** What a `.dockerignore` of the project's own should leave out and does not. */
function letIn(kind: ProjectKind, files: ProjectFiles): readonly string[] {
  const text = kind === 'prefect' ? undefined : files.text('.dockerignore');
  if (text === undefined) return [];
  const matcher = parseIgnoreFile(text);
  const names = ['.env', '.git', '.venv', 'node_modules'].filter((name) => files.has(name) && !matcher.matches(name));
  return names.length === 0 ? [] : [`The project's .dockerignore lets ${names.join(', ')} into the image.`];
}

/** Files that say nothing without another. */
const companions: readonly (readonly [string, string])[] = [
  ...nodeLockFiles.map((name) => [name, 'package.json'] as const),
  ['uv.lock', 'pyproject.toml'],
  ['poetry.lock', 'pyproject.toml'],
  ['go.sum', 'go.mod'],
];

function whyUnknown(files: ProjectFiles): string {
  if (files.has('package.json')) return 'its package.json is no JSON object';
  if (files.has('pyproject.toml')) return 'its pyproject.toml has neither [project] nor [tool.poetry]';
  const alone = companions.find(([name]) => files.has(name));
  return alone === undefined ? 'nothing in it says how' : `it has a ${alone[0]} and no ${alone[1]}`;
}

function unknown(files: ProjectFiles): BoxwrightError {
  const why = whyUnknown(files);
  return new BoxwrightError(
    'AUTOMATIC_UNKNOWN',
    `no Dockerfile can be made for ${escapeForTerminal(files.directory)}: ${why}`,
    {
      hint: 'Write a Dockerfile, or what tells: pyproject.toml, requirements.txt, package.json, go.mod or index.html.',
      details: { directory: files.directory },
    },
  );
}
